/**
 * Checks the events that an application sends for a WebSocket.
 *
 * @module
 */

import { type Field, isToken } from "../http/fields.ts";
import {
  checkAttached,
  checkBody,
  checkFields,
  checkFlag,
  checkStatus,
  invalid,
  unknownType,
} from "./event_checks.ts";
import { InvalidEventError } from "./errors.ts";
import type { WebSocketCommand } from "./types.ts";

/** An event that was checked. */
export type WebSocketAction =
  | {
    readonly type: "websocket.accept";
    readonly subprotocol: string | null;
    readonly headers: readonly Field[];
  }
  | {
    readonly type: "websocket.send";
    readonly message: string | Uint8Array;
  }
  | {
    readonly type: "websocket.close";
    readonly code: number;
    readonly reason: string;
  }
  | {
    readonly type: "websocket.http.response.start";
    readonly status: number;
    readonly headers: readonly Field[];
  }
  | {
    readonly type: "websocket.http.response.body";
    readonly body: Uint8Array;
    readonly more_body: boolean;
  };

/** The longest reason: a close frame holds 125 bytes with the code. */
const MAX_REASON_BYTES = 123;
const encoder = new TextEncoder();

/**
 * Checks the shape of an event; keys that are not known are ignored.
 *
 * @throws {InvalidEventError} If a key has a wrong type or value.
 */
export function checkWebSocketEvent(event: WebSocketCommand): WebSocketAction {
  switch (event?.type) {
    case "websocket.accept":
      return checkAccept(event);
    case "websocket.send":
      return { type: event.type, message: checkMessage(event) };
    case "websocket.close":
      return checkClose(event);
    case "websocket.http.response.start":
      return {
        type: event.type,
        status: checkStatus(event, event.status),
        headers: checkFields(event, event.headers),
      };
    case "websocket.http.response.body":
      return {
        type: event.type,
        body: checkBody(event, event.body),
        more_body: checkFlag(event, "more_body", event.more_body),
      };
    default:
      throw unknownType(event);
  }
}

function checkAccept(
  event: Extract<WebSocketCommand, { type: "websocket.accept" }>,
): WebSocketAction {
  const subprotocol = event.subprotocol ?? null;
  if (subprotocol !== null && !isSubprotocol(subprotocol)) {
    throw invalid(event, "subprotocol must be a token", subprotocol);
  }
  const headers = checkFields(event, event.headers);
  const reserved = headers.find(([name]) => RESERVED.has(name));
  if (reserved !== undefined) {
    throw new InvalidEventError(
      `Cannot send ${event.type}: headers must not contain "${
        reserved[0]
      }": the server sets it`,
    );
  }
  return { type: event.type, subprotocol, headers };
}

/** The fields of the handshake itself. */
const RESERVED = new Set([
  "connection",
  "content-length",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "transfer-encoding",
  "upgrade",
]);

function isSubprotocol(value: unknown): boolean {
  return typeof value === "string" && isToken(value);
}

function checkMessage(
  event: Extract<WebSocketCommand, { type: "websocket.send" }>,
): string | Uint8Array {
  const text = event.text ?? null;
  const bytes = event.bytes ?? null;
  if ((text === null) === (bytes === null)) {
    throw invalid(event, "exactly one of text and bytes must be given", event);
  }
  if (text !== null) {
    if (typeof text === "string") return text;
    throw invalid(event, "text must be a string", text);
  }
  if (bytes instanceof Uint8Array) return checkAttached(event, bytes);
  throw invalid(event, "bytes must be a Uint8Array", bytes);
}

function checkClose(
  event: Extract<WebSocketCommand, { type: "websocket.close" }>,
): WebSocketAction {
  const { code = 1000 } = event;
  const reason = event.reason ?? "";
  if (!isSendableCode(code)) {
    throw invalid(event, "code must be a close code that can be sent", code);
  }
  if (
    typeof reason !== "string" ||
    encoder.encode(reason).length > MAX_REASON_BYTES
  ) {
    throw invalid(
      event,
      "reason must be a string of at most 123 bytes",
      reason,
    );
  }
  return { type: event.type, code, reason };
}

/** RFC 6455, section 7.4, and IANA's registry. */
function isSendableCode(code: unknown): boolean {
  if (!Number.isInteger(code)) return false;
  const number = code as number;
  if (number >= 3000 && number <= 4999) return true;
  return number >= 1000 && number <= 1014 &&
    !(number >= 1004 && number <= 1006);
}

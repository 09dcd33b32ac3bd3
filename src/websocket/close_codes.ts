/**
 * Close codes and reasons (RFC 6455, sections 5.5.1 and 7.4).
 *
 * A Close frame is empty, or holds a code of two bytes and a reason of at most
 * 123 bytes of UTF-8. Some codes are never on the wire: they stand for
 * what there was instead of a code.
 *
 * | codes                | on the wire                                  |
 * |----------------------|----------------------------------------------|
 * | 1000–1003, 1007–1014 | yes, registered                              |
 * | 1005, 1006, 1015     | never: no code, connection lost, TLS failure |
 * | 3000–4999            | yes, for libraries and applications          |
 * | all others           | no                                           |
 *
 * @module
 */

import { WebSocketError } from "./websocket_error.ts";

/** The purpose of the connection is fulfilled. */
export const NORMAL_CLOSURE = 1000;
/** The server is going down, or the user has left the page. */
export const GOING_AWAY = 1001;
/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;
/** The Close frame had no code; never on the wire. */
export const NO_STATUS = 1005;
/** The connection was lost without a Close frame; never on the wire. */
export const ABNORMAL_CLOSURE = 1006;
/** A message does not hold what its type says: text that is not UTF-8. */
export const INVALID_DATA = 1007;
/** The peer does what it must not, though it is no breach of the protocol. */
export const POLICY_VIOLATION = 1008;
/** A message is too big to be processed. */
export const MESSAGE_TOO_BIG = 1009;
/** Something unexpected happened. */
export const INTERNAL_ERROR = 1011;
/** The server restarts. */
export const SERVICE_RESTART = 1012;
/** The server cannot do at present what was asked for. */
export const TRY_AGAIN_LATER = 1013;

const MAX_REASON_BYTES = 123;
const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a Close frame may carry `code`. */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
    code >= 3000 && code <= 4999;
}

/**
 * The payload of a Close frame. The code 1005 stands for an empty one.
 *
 * @throws {RangeError} If `code` must not be sent, or `reason` is longer than
 * 123 bytes.
 */
export function encodeClose(code: number, reason = ""): Uint8Array {
  if (code === NO_STATUS && reason === "") return EMPTY;
  if (!isCloseCode(code)) {
    throw new RangeError(`Cannot close: ${code} is no code to send`);
  }
  const text = encoder.encode(reason);
  if (text.length > MAX_REASON_BYTES) {
    throw new RangeError(
      `Cannot close: the reason has ${text.length} bytes, of at most 123`,
    );
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >> 8;
  payload[1] = code;
  payload.set(text, 2);
  return payload;
}

/** What the payload of a Close frame says. */
export interface CloseStatus {
  /** The code; 1005 if the frame had none. */
  readonly code: number;
  /** The reason; "" if the frame had none. */
  readonly reason: string;
}

/**
 * Reads the payload of a Close frame.
 *
 * @throws {WebSocketError} With 1002 for a code that must not be sent, and 1007
 * for a reason that is not UTF-8.
 */
export function decodeClose(payload: Uint8Array): CloseStatus {
  if (payload.length === 0) return { code: NO_STATUS, reason: "" };
  const code = payload[0] << 8 | payload[1];
  if (payload.length === 1 || !isCloseCode(code)) {
    throw new WebSocketError(PROTOCOL_ERROR, "Cannot read close: invalid code");
  }
  try {
    return { code, reason: decoder.decode(payload.subarray(2)) };
  } catch {
    throw new WebSocketError(INVALID_DATA, "Cannot read close: invalid UTF-8");
  }
}

/**
 * Refuses what `fetch` can't carry, before it reaches the cycle: so it rejects
 * its own `send` and changes nothing, as any other faulty event.
 *
 * @module
 */

import { InvalidEventError } from "../asgi/errors.ts";
import { isIterable } from "../asgi/event_checks.ts";
import type { AsgiApp, HttpScope, SendEvent } from "../asgi/types.ts";
import { wrapSend } from "../asgi/wrap.ts";

/** The events of an extension that has the same name. */
const EXTENSION_EVENTS = [
  "http.response.early_hint",
  "http.response.pathsend",
  "http.response.trailers",
];

/** An application whose events pass `check`, which throws what it refuses. */
export function guarded(
  app: AsgiApp,
  check: (event: SendEvent) => void,
): AsgiApp {
  return (scope, receive, send) =>
    app(
      scope,
      receive,
      wrapSend(send, (event) => {
        check(event);
        return event;
      }),
    );
}

/** Refuses what a `Response` can't hold, and what the scope does not offer. */
export function refuseHttp(
  { extensions }: HttpScope,
): (event: SendEvent) => void {
  return (event) => {
    const type = event?.type;
    if (EXTENSION_EVENTS.includes(type) && !(type in extensions)) {
      throw refused(type, "fetch can't carry it, and the scope offers it not");
    }
    if (type !== "http.response.start") return;
    if (event.trailers === true) {
      throw refused(type, "fetch can't carry trailers");
    }
    checkStatus(type, event.status);
  };
}

/** Refuses what a platform's WebSocket can't do. */
export function refuseWebSocket(event: SendEvent): void {
  const type = event?.type;
  if (type === "websocket.accept") checkNoHeaders(type, event.headers);
  if (type === "websocket.http.response.start") checkStatus(type, event.status);
}

function checkNoHeaders(type: string, headers: unknown): void {
  if (!isIterable(headers) || [...headers].length === 0) return;
  throw refused(type, "fetch can't carry headers of a handshake");
}

// What is no status, or no list, at all is for the cycle to refuse.

function checkStatus(type: string, status: unknown): void {
  if (!Number.isInteger(status) || status as number < 600) return;
  throw refused(type, `fetch carries only statuses 200–599, not ${status}`);
}

function refused(type: string, rule: string): InvalidEventError {
  return new InvalidEventError(`Cannot send ${type}: ${rule}`);
}

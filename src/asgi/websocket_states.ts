/**
 * The states of a WebSocket's cycle, and the events that lead from one to the
 * next, as data. An event of the application that has no entry is refused, and
 * changes nothing.
 *
 * @module
 */

import { InvalidEventError } from "./errors.ts";
import type { WebSocketAction } from "./websocket_events.ts";

/** What can still be sent. */
export type WebSocketState =
  /** The handshake is not answered. */
  | "connecting"
  /** A response that denies the WebSocket has begun. */
  | "denying"
  /** Messages can be sent. */
  | "open"
  /** Nothing can be sent any more. */
  | "closed";

type BodyType = "websocket.http.response.body";

/** What leads from one state to another: events of the application, and the end. */
export type WebSocketTransition =
  | Exclude<WebSocketAction["type"], BodyType>
  | `${BodyType}, more`
  | `${BodyType}, last`
  /** The client has disconnected, or the server closes. */
  | "end";

/** The state after each event. */
export const WEBSOCKET_STATES: Readonly<
  Record<
    WebSocketState,
    Readonly<Partial<Record<WebSocketTransition, WebSocketState>>>
  >
> = {
  connecting: {
    "websocket.accept": "open",
    "websocket.close": "closed",
    "websocket.http.response.start": "denying",
    end: "closed",
  },
  denying: {
    "websocket.http.response.body, more": "denying",
    "websocket.http.response.body, last": "closed",
    end: "closed",
  },
  open: {
    "websocket.send": "open",
    "websocket.close": "closed",
    end: "closed",
  },
  closed: { end: "closed" },
};

const EXPECTED: Record<WebSocketState, string> = {
  connecting: "websocket.accept or websocket.close is due",
  denying: "websocket.http.response.body is due",
  open: "the WebSocket was accepted before",
  closed: "the WebSocket is closed",
};

/**
 * The state that follows an event of the application, or the end.
 *
 * @throws {InvalidEventError} If the event is not due.
 */
export function stateAfter(
  state: WebSocketState,
  event: WebSocketAction | "end",
): WebSocketState {
  const transition = transitionOf(event);
  const next = WEBSOCKET_STATES[state][transition];
  if (next !== undefined) return next;
  const [type] = transition.split(",");
  throw new InvalidEventError(`Cannot send ${type}: ${EXPECTED[state]}`);
}

function transitionOf(action: WebSocketAction | "end"): WebSocketTransition {
  if (action === "end") return action;
  if (action.type !== "websocket.http.response.body") return action.type;
  return action.more_body ? `${action.type}, more` : `${action.type}, last`;
}

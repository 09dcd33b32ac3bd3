/**
 * The states of one stream (RFC 9113, section 5.1), as a server sees it that never
 * pushes, and the frames that lead from one to the next, in both directions.
 *
 * The two tables below are all there is to it. A received frame that neither of
 * them lists does not exist; a frame to be sent that is not listed is a mistake of
 * this package. Frames on a stream that the server has reset may have been sent
 * before the client knew: they change nothing.
 *
 * @module
 */

import { connectionError, type ErrorName, streamError } from "./frames.ts";

/** How far a stream has come. */
export type StreamState =
  /** Nothing was sent on it. */
  | "idle"
  /** Both sides may send. */
  | "open"
  /** The client has ended; the server may send. */
  | "half-closed (remote)"
  /** The server has ended; the client may send. */
  | "half-closed (local)"
  /** Both have ended, or the client has reset it. */
  | "closed"
  /** The server has reset it. */
  | "reset";

/** The frames that concern a state; "last" ones carry END_STREAM. */
type StreamFrame =
  | "HEADERS"
  | "last HEADERS"
  | "DATA"
  | "last DATA"
  | "RST_STREAM"
  | "WINDOW_UPDATE";

/** What happens on a stream. PRIORITY may come at any time, and does nothing. */
export type StreamEvent =
  | `received ${StreamFrame | "PRIORITY"}`
  | `sent ${StreamFrame}`;

/** The states that the events lead to. */
type Events = Readonly<Partial<Record<StreamEvent, StreamState>>>;

/** From each state, the events that may come, and where they lead. */
export const STREAM_TABLE: Readonly<Record<StreamState, Events>> = {
  "idle": {
    "received HEADERS": "open",
    "received last HEADERS": "half-closed (remote)",
    "received PRIORITY": "idle",
  },
  "open": {
    "received last HEADERS": "half-closed (remote)",
    "received DATA": "open",
    "received last DATA": "half-closed (remote)",
    "received RST_STREAM": "closed",
    "received WINDOW_UPDATE": "open",
    "received PRIORITY": "open",
    "sent HEADERS": "open",
    "sent last HEADERS": "half-closed (local)",
    "sent DATA": "open",
    "sent last DATA": "half-closed (local)",
    "sent RST_STREAM": "reset",
    "sent WINDOW_UPDATE": "open",
  },
  "half-closed (remote)": {
    "received RST_STREAM": "closed",
    "received WINDOW_UPDATE": "half-closed (remote)",
    "received PRIORITY": "half-closed (remote)",
    "sent HEADERS": "half-closed (remote)",
    "sent last HEADERS": "closed",
    "sent DATA": "half-closed (remote)",
    "sent last DATA": "closed",
    "sent RST_STREAM": "reset",
  },
  "half-closed (local)": {
    "received last HEADERS": "closed",
    "received DATA": "half-closed (local)",
    "received last DATA": "closed",
    "received RST_STREAM": "closed",
    "received WINDOW_UPDATE": "half-closed (local)",
    "received PRIORITY": "half-closed (local)",
    "sent RST_STREAM": "reset",
    "sent WINDOW_UPDATE": "half-closed (local)",
  },
  "closed": {
    "received RST_STREAM": "closed",
    "received WINDOW_UPDATE": "closed",
    "received PRIORITY": "closed",
  },
  "reset": {
    "received HEADERS": "reset",
    "received last HEADERS": "reset",
    "received DATA": "reset",
    "received last DATA": "reset",
    "received RST_STREAM": "reset",
    "received WINDOW_UPDATE": "reset",
    "received PRIORITY": "reset",
  },
};

/** What an error ends, and its code. */
type Fault = readonly [scope: "connection" | "stream", code: ErrorName];

const NOT_BEGUN: Fault = ["connection", "PROTOCOL_ERROR"];
const NO_LAST_TRAILERS: Fault = ["stream", "PROTOCOL_ERROR"];
const ENDED: Fault = ["stream", "STREAM_CLOSED"];
const CLOSED: Fault = ["connection", "STREAM_CLOSED"];

/** From each state, the received frames that are errors. */
export const STREAM_FAULTS: Readonly<
  Record<StreamState, Readonly<Partial<Record<StreamEvent, Fault>>>>
> = {
  "idle": {
    "received DATA": NOT_BEGUN,
    "received last DATA": NOT_BEGUN,
    "received RST_STREAM": NOT_BEGUN,
    "received WINDOW_UPDATE": NOT_BEGUN,
  },
  "open": { "received HEADERS": NO_LAST_TRAILERS },
  "half-closed (remote)": {
    "received HEADERS": ENDED,
    "received last HEADERS": ENDED,
    "received DATA": ENDED,
    "received last DATA": ENDED,
  },
  "half-closed (local)": { "received HEADERS": NO_LAST_TRAILERS },
  "closed": {
    "received HEADERS": CLOSED,
    "received last HEADERS": CLOSED,
    "received DATA": CLOSED,
    "received last DATA": CLOSED,
  },
  "reset": {},
};

/**
 * The state of a stream after an event.
 *
 * @throws {Http2Error} If the client may not send this now.
 * @throws {Error} If the server may not.
 */
export function nextStreamState(
  streamId: number,
  state: StreamState,
  event: StreamEvent,
): StreamState {
  const next = STREAM_TABLE[state][event];
  if (next !== undefined) return next;
  const message = `"${event}" must not come on stream ${streamId} (${state})`;
  const fault = STREAM_FAULTS[state][event];
  if (fault === undefined) throw new Error(`Cannot go on: ${message}`);
  const [scope, code] = fault;
  throw scope === "stream"
    ? streamError(streamId, code, message)
    : connectionError(code, message);
}

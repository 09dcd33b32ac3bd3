/**
 * The states of the client's side of a request stream (RFC 9114, section 4.1), and
 * what leads from one to the next. A frame that a state does not list must not
 * come: H3_FRAME_UNEXPECTED. Frames that are not known may come at any time, and
 * lead nowhere.
 *
 * @module
 */

import { Http3Error } from "./errors.ts";

/** How far a request has come. */
export type RequestState =
  /** Its fields have not come. */
  | "head"
  /** Content may come, or trailers. */
  | "content"
  /** Nothing more may come. */
  | "trailers"
  /** Bytes of another protocol come, in DATA. */
  | "tunnel"
  /** The client has ended its side. */
  | "ended"
  /** The client has cancelled the request, or is stopped, or lost. */
  | "cancelled";

/** What happens to a request. */
export type RequestEvent =
  | "HEADERS"
  | "DATA"
  /** The fields that came were those of CONNECT. */
  | "connect"
  | "end"
  | "cancel";

/** From each state, the events that may come, and where they lead. */
export const REQUEST_TABLE: Readonly<
  Record<RequestState, Readonly<Partial<Record<RequestEvent, RequestState>>>>
> = {
  "head": { "HEADERS": "content", "end": "ended", "cancel": "cancelled" },
  "content": {
    "DATA": "content",
    "HEADERS": "trailers",
    "connect": "tunnel",
    "end": "ended",
    "cancel": "cancelled",
  },
  "trailers": { "end": "ended", "cancel": "cancelled" },
  "tunnel": { "DATA": "tunnel", "end": "ended", "cancel": "cancelled" },
  "ended": {},
  "cancelled": {},
};

/**
 * The state of a request after an event.
 *
 * @throws {Http3Error} H3_FRAME_UNEXPECTED, if it must not come.
 */
export function nextRequestState(
  state: RequestState,
  event: RequestEvent,
): RequestState {
  const next = REQUEST_TABLE[state][event];
  if (next !== undefined) return next;
  throw new Http3Error(
    "H3_FRAME_UNEXPECTED",
    `${event} must not come on a request stream (${state})`,
  );
}

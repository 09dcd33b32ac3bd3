/**
 * Which frames may come on which stream (RFC 9114, section 7.2; RFC 9218, section
 * 7.2), as data. Those that are not listed are not known, and are skipped wherever
 * they come (section 9).
 *
 * @module
 */

import { type ErrorName, Http3Error } from "./errors.ts";
import { FRAME_TYPES } from "./frames.ts";

/** The two kinds of streams that carry frames. */
export type FrameStream = "control" | "request";

/** Whether a frame may come, or what it is answered with. */
export type FrameRule = "allowed" | ErrorName;

const UNEXPECTED: FrameRule = "H3_FRAME_UNEXPECTED";
const NOWHERE = { control: UNEXPECTED, request: UNEXPECTED } as const;
const ON_CONTROL = { control: "allowed", request: UNEXPECTED } as const;
const ON_REQUEST = { control: UNEXPECTED, request: "allowed" } as const;

/** What may come of a client that was never allowed to get a push. */
export const FRAME_RULES: ReadonlyMap<
  number,
  Readonly<Record<FrameStream, FrameRule>>
> = new Map<number, Readonly<Record<FrameStream, FrameRule>>>([
  [FRAME_TYPES.DATA, ON_REQUEST],
  [FRAME_TYPES.HEADERS, ON_REQUEST],
  [FRAME_TYPES.CANCEL_PUSH, ON_CONTROL],
  [FRAME_TYPES.SETTINGS, ON_CONTROL],
  [FRAME_TYPES.PUSH_PROMISE, NOWHERE],
  [FRAME_TYPES.GOAWAY, ON_CONTROL],
  [FRAME_TYPES.MAX_PUSH_ID, ON_CONTROL],
  [FRAME_TYPES.PRIORITY_UPDATE, ON_CONTROL],
  [FRAME_TYPES.PUSH_PRIORITY_UPDATE, {
    control: "H3_ID_ERROR",
    request: UNEXPECTED,
  }],
  // Those of HTTP/2: PRIORITY, PING, WINDOW_UPDATE, CONTINUATION.
  [0x02, NOWHERE],
  [0x06, NOWHERE],
  [0x08, NOWHERE],
  [0x09, NOWHERE],
]);

/**
 * Checks whether a frame may come.
 *
 * @returns Whether its type is known.
 * @throws {Http3Error} If it may not.
 */
export function checkFrame(stream: FrameStream, type: number): boolean {
  const rule = FRAME_RULES.get(type)?.[stream];
  if (rule === undefined) return false;
  if (rule === "allowed") return true;
  throw new Http3Error(
    rule,
    `Frame 0x${type.toString(16)} must not come on a ${stream} stream`,
  );
}

/**
 * What a frame must be whatever came before it (RFC 9113, section 6): the stream
 * it is on, and its length. All of it is seen on the head alone, before any of
 * the payload is there; what a stream's state has to say is in
 * `stream_state.ts`. The few rules for content follow once the frame is whole.
 *
 * | frame           | on       | length               | else                      |
 * |-----------------|----------|----------------------|---------------------------|
 * | DATA            | a stream | room for its padding | PROTOCOL_ERROR            |
 * | HEADERS         | a stream | room for its fields  | FRAME_SIZE_ERROR          |
 * | PRIORITY        | a stream | 5                    | FRAME_SIZE_ERROR (stream) |
 * | RST_STREAM      | a stream | 4                    | FRAME_SIZE_ERROR          |
 * | SETTINGS        | stream 0 | 6 n; 0 as ACK        | FRAME_SIZE_ERROR          |
 * | PUSH_PROMISE    | never    |                      | PROTOCOL_ERROR            |
 * | PING            | stream 0 | 8                    | FRAME_SIZE_ERROR          |
 * | GOAWAY          | stream 0 | 8 or more            | FRAME_SIZE_ERROR          |
 * | WINDOW_UPDATE   | any      | 4                    | FRAME_SIZE_ERROR          |
 * | CONTINUATION    | a stream | any                  |                           |
 * | PRIORITY_UPDATE | stream 0 | 4 or more            | FRAME_SIZE_ERROR          |
 *
 * A wrong stream is a PROTOCOL_ERROR. All errors but that of PRIORITY end the
 * connection; it is found once the frame is whole.
 *
 * @module
 */

import {
  connectionError,
  FLAGS,
  type Frame,
  FRAME_TYPES,
  frameName,
  Http2Error,
  MAX_FRAME_BYTES,
  readUint31,
  streamError,
} from "./frames.ts";

/** The head of a frame. */
export type FrameHead = Pick<Frame, "type" | "flags" | "streamId" | "length">;

/** The bytes that the priority fields of HEADERS and PRIORITY take. */
const PRIORITY_BYTES = 5;

/** What a frame must be on. */
type Place = "a stream" | "the connection" | "any";

interface Rule {
  readonly place: Place;
  readonly accepts: (head: FrameHead) => boolean;
}

const RULES: Readonly<Record<number, Rule>> = {
  [FRAME_TYPES.DATA]: { place: "a stream", accepts: () => true },
  [FRAME_TYPES.HEADERS]: {
    place: "a stream",
    accepts: ({ flags, length }) => length >= headersPrefix(flags),
  },
  [FRAME_TYPES.PRIORITY]: { place: "a stream", accepts: () => true },
  [FRAME_TYPES.RST_STREAM]: { place: "a stream", accepts: isLong(4) },
  [FRAME_TYPES.SETTINGS]: {
    place: "the connection",
    accepts: ({ flags, length }) =>
      (flags & FLAGS.ACK) === 0 ? length % 6 === 0 : length === 0,
  },
  [FRAME_TYPES.PING]: { place: "the connection", accepts: isLong(8) },
  [FRAME_TYPES.GOAWAY]: {
    place: "the connection",
    accepts: ({ length }) => length >= 8,
  },
  [FRAME_TYPES.WINDOW_UPDATE]: { place: "any", accepts: isLong(4) },
  [FRAME_TYPES.CONTINUATION]: { place: "a stream", accepts: () => true },
  [FRAME_TYPES.PRIORITY_UPDATE]: {
    place: "the connection",
    accepts: ({ length }) => length >= 4,
  },
};

function isLong(bytes: number): Rule["accepts"] {
  return ({ length }) => length === bytes;
}

/** Whether a type has rules; any other is to be ignored. */
export function isKnown(type: number): boolean {
  return type <= FRAME_TYPES.CONTINUATION ||
    type === FRAME_TYPES.PRIORITY_UPDATE;
}

/** How many bytes of a HEADERS frame precede its block: those its flags name. */
export function headersPrefix(flags: number): number {
  return ((flags & FLAGS.PADDED) === 0 ? 0 : 1) +
    ((flags & FLAGS.PRIORITY) === 0 ? 0 : PRIORITY_BYTES);
}

/**
 * Holds a head against the rules above.
 *
 * @throws {Http2Error} As the table says.
 */
export function checkFrameHead(head: FrameHead): void {
  const { type, length } = head;
  if (length > MAX_FRAME_BYTES) {
    throw connectionError("FRAME_SIZE_ERROR", `${cannotRead(type)}: too long`);
  }
  if (type === FRAME_TYPES.PUSH_PROMISE) {
    throw connectionError("PROTOCOL_ERROR", "A client must not push");
  }
  if (!isKnown(type)) return;
  const { place, accepts } = RULES[type];
  if (!isInPlace(place, head.streamId)) {
    throw connectionError(
      "PROTOCOL_ERROR",
      `${cannotRead(type)}: it must be on ${place}`,
    );
  }
  if (!accepts(head)) {
    throw connectionError(
      "FRAME_SIZE_ERROR",
      `${cannotRead(type)}: its length must not be ${length}`,
    );
  }
  const padded = type === FRAME_TYPES.DATA && (head.flags & FLAGS.PADDED) !== 0;
  if (padded && length === 0) {
    throw connectionError(
      "PROTOCOL_ERROR",
      `${cannotRead(type)}: padded, and empty`,
    );
  }
}

function isInPlace(place: Place, streamId: number): boolean {
  return place === "any" || (streamId === 0) === (place === "the connection");
}

/**
 * Holds the content of a complete frame against the rules of its type. What only
 * ends a stream is said here, where the frame is read and the next one can come.
 *
 * @throws {Http2Error} For an increment or a prioritized stream of 0, and for a
 * PRIORITY that is too long, too short, or makes a stream depend on itself.
 */
export function checkContent(frame: Frame): void {
  const { type, streamId, bytes, start, length } = frame;
  if (type === FRAME_TYPES.WINDOW_UPDATE) {
    if (readUint31(bytes, start) > 0) return;
    const message = `${cannotRead(type)}: its increment is 0`;
    throw new Http2Error("PROTOCOL_ERROR", message, streamId || undefined);
  }
  if (type === FRAME_TYPES.PRIORITY) {
    if (length !== PRIORITY_BYTES) {
      const message = `${cannotRead(type)}: its length is not 5`;
      throw streamError(streamId, "FRAME_SIZE_ERROR", message);
    }
    if (!dependsOnItself(frame)) return;
    const message = `${cannotRead(type)}: the stream depends on itself`;
    throw streamError(streamId, "PROTOCOL_ERROR", message);
  }
  if (type === FRAME_TYPES.PRIORITY_UPDATE && readUint31(bytes, start) === 0) {
    const message = `${cannotRead(type)}: it prioritizes stream 0`;
    throw connectionError("PROTOCOL_ERROR", message);
  }
}

/** Whether the priority fields at a frame's start name its own stream. */
export function dependsOnItself(
  { bytes, start, streamId }: Frame,
): boolean {
  return readUint31(bytes, start) === streamId;
}

function cannotRead(type: number): string {
  return `Cannot read ${frameName(type)}`;
}

// Frames as a client puts them on the wire, good and bad, and what a reader makes
// of them: records that can be compared, since the reader uses one object.

import {
  FrameReader,
  type FrameReaderOptions,
} from "../../src/http2/frame_reader.ts";
import { type Frame, Http2Error } from "../../src/http2/frames.ts";

export const PREFACE = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** A frame with any head. */
export function wire(
  type: number,
  flags: number,
  streamId: number,
  payload: readonly number[] | Uint8Array = [],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, streamId);
  bytes.set(payload, 9);
  return bytes;
}

/** A frame as the reader would give it, with this content. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: readonly number[] | Uint8Array = [],
): Frame {
  const bytes = Uint8Array.from(payload);
  return {
    type,
    flags,
    streamId,
    length: bytes.length,
    bytes,
    start: 0,
    end: bytes.length,
    selfDependent: false,
  };
}

/** What came of one frame, or of a rule that was broken. */
export type Seen =
  | {
    readonly type: number;
    readonly flags: number;
    readonly streamId: number;
    readonly length: number;
    readonly content: readonly number[];
    readonly selfDependent: boolean;
  }
  | { readonly error: number; readonly on: number | undefined };

/** The 32 bits of a number. */
export function uint32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

/** Feeds chunks to a reader; ends at a connection error. */
export function read(
  chunks: Iterable<Uint8Array>,
  options: FrameReaderOptions = { preface: false },
): Seen[] {
  const reader = new FrameReader(options);
  const seen: Seen[] = [];
  for (const chunk of chunks) {
    // As a connection's buffer, which is used again for the next read.
    const lent = chunk.slice();
    reader.push(lent);
    if (!drain(reader, seen)) return seen;
    lent.fill(0xee);
  }
  return seen;
}

/** Reads all that is there; `false` at a connection error. */
function drain(reader: FrameReader, seen: Seen[]): boolean {
  for (;;) {
    try {
      const next = reader.next();
      if (next === undefined) return true;
      seen.push(record(next));
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      seen.push({ error: error.code, on: error.streamId });
      if (error.streamId === undefined) return false;
    }
  }
}

function record(frame: Frame): Seen {
  const { type, flags, streamId, length, selfDependent } = frame;
  const content = [...frame.bytes.subarray(frame.start, frame.end)];
  return { type, flags, streamId, length, content, selfDependent };
}

/** One array of all bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// Frames as the test client has seen them: data that can be compared, with header
// blocks decoded, contents as byte strings, and error codes by their names.

import { HpackDecoder } from "../../src/http2/hpack/mod.ts";
import { FrameReader } from "../../src/http2/frame_reader.ts";
import {
  errorName,
  FLAGS,
  type Frame,
  FRAME_TYPES,
  readUint31,
  readUint32,
} from "../../src/http2/frames.ts";
import { HeaderBlocks } from "../../src/http2/header_block.ts";
import type { Field } from "../../src/http/fields.ts";
import { text } from "../_feeding.ts";

/** A frame of the server. */
export type SeenFrame =
  | {
    readonly type: "DATA";
    readonly streamId: number;
    readonly endStream: boolean;
    readonly content: string;
    /** Content and padding: what it takes of the windows. */
    readonly length: number;
  }
  | {
    readonly type: "HEADERS";
    readonly streamId: number;
    readonly endStream: boolean;
    readonly fields: readonly Field[];
  }
  | {
    readonly type: "RST_STREAM";
    readonly streamId: number;
    readonly code: string;
  }
  | {
    readonly type: "SETTINGS";
    readonly streamId: 0;
    readonly ack: boolean;
    readonly settings: readonly (readonly [id: number, value: number])[];
  }
  | {
    readonly type: "PING";
    readonly streamId: 0;
    readonly ack: boolean;
    readonly payload: string;
  }
  | {
    readonly type: "GOAWAY";
    readonly streamId: 0;
    readonly last: number;
    readonly code: string;
    readonly debug: string;
  }
  | {
    readonly type: "WINDOW_UPDATE";
    readonly streamId: number;
    readonly increment: number;
  }
  | {
    readonly type: "other";
    readonly streamId: number;
    readonly number: number;
  };

/** Frames of one type. */
export type Seen<T extends SeenFrame["type"]> = Extract<SeenFrame, { type: T }>;

/** Reads what a server sends. */
export class SeenFrameReader {
  readonly #reader = new FrameReader({ preface: false });
  readonly #blocks = new HeaderBlocks(Infinity);
  readonly #decoder = new HpackDecoder({ maxListSize: 1e6, maxFields: 1e4 });

  /** What the server's encoder may use; to be called when it knows that. */
  setMaxTableSize(bytes: number): void {
    this.#decoder.setMaxTableSize(bytes);
  }

  /**
   * The frames that are complete with these bytes, one at a time, so that what
   * one of them changes holds for the next.
   */
  *read(bytes: Uint8Array): Generator<SeenFrame> {
    this.#reader.push(bytes);
    for (let frame; (frame = this.#reader.next()) !== undefined;) {
      const seen = this.#blocks.owns(frame)
        ? this.#headers(frame)
        : seenFrame(frame);
      if (seen !== undefined) yield seen;
    }
  }

  #headers(frame: Frame): SeenFrame | undefined {
    const block = this.#blocks.add(frame);
    if (block === undefined) return undefined;
    const { streamId, endStream, bytes, start, end } = block;
    const { fields } = this.#decoder.decode(bytes.subarray(start, end));
    return { type: "HEADERS", streamId, endStream, fields };
  }
}

function seenFrame(frame: Frame): SeenFrame {
  const { type: number, flags, streamId, length, bytes, start, end } = frame;
  const content = bytes.subarray(start, end);
  const ack = (flags & FLAGS.ACK) !== 0;
  switch (number) {
    case FRAME_TYPES.DATA: {
      const endStream = (flags & FLAGS.END_STREAM) !== 0;
      return {
        type: "DATA",
        streamId,
        endStream,
        content: text(content),
        length,
      };
    }
    case FRAME_TYPES.RST_STREAM: {
      const code = errorName(readUint32(content, 0));
      return { type: "RST_STREAM", streamId, code };
    }
    case FRAME_TYPES.SETTINGS:
      return { type: "SETTINGS", streamId: 0, ack, settings: pairs(content) };
    case FRAME_TYPES.PING:
      return { type: "PING", streamId: 0, ack, payload: text(content) };
    case FRAME_TYPES.GOAWAY:
      return {
        type: "GOAWAY",
        streamId: 0,
        last: readUint31(content, 0),
        code: errorName(readUint32(content, 4)),
        debug: text(content.subarray(8)),
      };
    case FRAME_TYPES.WINDOW_UPDATE: {
      const increment = readUint31(content, 0);
      return { type: "WINDOW_UPDATE", streamId, increment };
    }
    default:
      return { type: "other", streamId, number };
  }
}

function pairs(bytes: Uint8Array): [number, number][] {
  return Array.from({ length: bytes.length / 6 }, (_, i) => [
    bytes[6 * i] << 8 | bytes[6 * i + 1],
    readUint32(bytes, 6 * i + 2),
  ]);
}

/**
 * Frames, appended to an output in the order of the calls (RFC 9113, section 6).
 * What is written here is never checked: sizes, states and windows are the
 * caller's.
 *
 * @module
 */

import { encodeByteString } from "../streams/byte_string.ts";
import {
  FLAGS,
  FRAME_HEAD_BYTES,
  FRAME_TYPES,
  MAX_FRAME_BYTES,
  writeUint32,
} from "./frames.ts";

/** What frames are appended to; it copies the bytes before it returns. */
export interface FrameOutput {
  /** Appends bytes. */
  bytes(bytes: Uint8Array): void;
}

/** A parameter of SETTINGS. */
export type Setting = readonly [id: number, value: number];

/** The largest frame of a fixed size: GOAWAY without debug data, PING. */
const SMALL_FRAME_BYTES = FRAME_HEAD_BYTES + 8;
const SETTING_BYTES = 6;

// Every connection writes through these, since each frame is copied at once.
const small = new Uint8Array(SMALL_FRAME_BYTES);
const head = small.subarray(0, FRAME_HEAD_BYTES);
const withFour = small.subarray(0, FRAME_HEAD_BYTES + 4);

/** Appends the frames of one connection to its output. */
export class FrameWriter {
  readonly #output: FrameOutput;

  /** Appends to `output`. */
  constructor(output: FrameOutput) {
    this.#output = output;
  }

  /**
   * Appends DATA: the bytes in frames of 16 KiB at most, or one empty frame. The
   * last one ends the stream if `endStream` says so.
   */
  data(streamId: number, bytes: Uint8Array, endStream: boolean): void {
    const { DATA } = FRAME_TYPES;
    let start = 0;
    for (; bytes.length - start > MAX_FRAME_BYTES; start += MAX_FRAME_BYTES) {
      this.#head(DATA, 0, streamId, MAX_FRAME_BYTES);
      this.#output.bytes(bytes.subarray(start, start + MAX_FRAME_BYTES));
    }
    const flags = endStream ? FLAGS.END_STREAM : 0;
    this.#head(DATA, flags, streamId, bytes.length - start);
    if (bytes.length > 0) {
      this.#output.bytes(start === 0 ? bytes : bytes.subarray(start));
    }
  }

  /** Appends a header block: HEADERS, and as many CONTINUATIONs as it takes. */
  headers(streamId: number, block: Uint8Array, endStream: boolean): void {
    const endStreamFlag = endStream ? FLAGS.END_STREAM : 0;
    const { HEADERS, CONTINUATION } = FRAME_TYPES;
    if (block.length <= MAX_FRAME_BYTES) {
      const flags = endStreamFlag | FLAGS.END_HEADERS;
      this.#head(HEADERS, flags, streamId, block.length);
      this.#output.bytes(block);
      return;
    }
    for (let start = 0; start < block.length; start += MAX_FRAME_BYTES) {
      const part = block.subarray(start, start + MAX_FRAME_BYTES);
      const last = start + part.length === block.length;
      const flags = (start === 0 ? endStreamFlag : 0) |
        (last ? FLAGS.END_HEADERS : 0);
      const type = start === 0 ? HEADERS : CONTINUATION;
      this.#head(type, flags, streamId, part.length);
      this.#output.bytes(part);
    }
  }

  /** Appends RST_STREAM. */
  rstStream(streamId: number, code: number): void {
    this.#withFour(FRAME_TYPES.RST_STREAM, streamId, code);
  }

  /** Appends WINDOW_UPDATE; stream 0 is the connection. */
  windowUpdate(streamId: number, increment: number): void {
    this.#withFour(FRAME_TYPES.WINDOW_UPDATE, streamId, increment);
  }

  /** Appends SETTINGS. */
  settings(settings: readonly Setting[]): void {
    const bytes = new Uint8Array(SETTING_BYTES * settings.length);
    for (const [i, [id, value]] of settings.entries()) {
      const at = i * SETTING_BYTES;
      bytes[at] = id >>> 8;
      bytes[at + 1] = id;
      writeUint32(bytes, at + 2, value);
    }
    this.#head(FRAME_TYPES.SETTINGS, 0, 0, bytes.length);
    this.#output.bytes(bytes);
  }

  /** Appends the acknowledgment of the client's SETTINGS. */
  settingsAck(): void {
    this.#head(FRAME_TYPES.SETTINGS, FLAGS.ACK, 0, 0);
  }

  /** Appends PING, or its acknowledgment, with 8 bytes. */
  ping(payload: Uint8Array, ack: boolean): void {
    this.#head(FRAME_TYPES.PING, ack ? FLAGS.ACK : 0, 0, payload.length);
    this.#output.bytes(payload);
  }

  /** Appends GOAWAY; `debug` is a byte string for readers of a trace. */
  goAway(lastStreamId: number, code: number, debug = ""): void {
    const text = encodeByteString(debug);
    writeHead(FRAME_TYPES.GOAWAY, 0, 0, 8 + text.length);
    writeUint32(small, FRAME_HEAD_BYTES, lastStreamId);
    writeUint32(small, FRAME_HEAD_BYTES + 4, code);
    this.#output.bytes(small);
    if (text.length > 0) this.#output.bytes(text);
  }

  #head(type: number, flags: number, streamId: number, length: number): void {
    writeHead(type, flags, streamId, length);
    this.#output.bytes(head);
  }

  #withFour(type: number, streamId: number, value: number): void {
    writeHead(type, 0, streamId, 4);
    writeUint32(small, FRAME_HEAD_BYTES, value);
    this.#output.bytes(withFour);
  }
}

function writeHead(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): void {
  small[0] = length >>> 16;
  small[1] = length >>> 8;
  small[2] = length;
  small[3] = type;
  small[4] = flags;
  writeUint32(small, 5, streamId);
}

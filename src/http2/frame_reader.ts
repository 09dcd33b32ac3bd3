/**
 * Bytes in, complete frames out (RFC 9113, sections 3.4, 4 and 6), without
 * waiting. A frame's head is checked as soon as it is there, so that nothing is
 * buffered of a frame that may not be; what its content alone can break, when it
 * is complete. What it means on its stream is for others to say.
 *
 * A frame that lies in one chunk is not copied: the reader points into the
 * chunk. Of a frame that chunks cut, the parts are copied once, into a buffer of
 * the reader's own. The payload of a type that is not known is dropped as it
 * comes. So a connection holds one frame at most, of 16 KiB.
 *
 * @module
 */

import {
  checkContent,
  checkFrameHead,
  dependsOnItself,
  headersPrefix,
  isKnown,
} from "./frame_rules.ts";
import {
  connectionError,
  FLAGS,
  type Frame,
  FRAME_HEAD_BYTES,
  FRAME_TYPES,
  type Http2Error,
  MAX_FRAME_BYTES,
  readUint31,
} from "./frames.ts";
import { comparePreface, PREFACE_BYTES } from "../http/preface.ts";

const EMPTY = new Uint8Array(0);
const MIN_BUFFER_BYTES = 64;
const MAX_BUFFER_BYTES = FRAME_HEAD_BYTES + MAX_FRAME_BYTES;

/** The one frame of a connection, as its reader fills it in. */
class ReadFrame implements Frame {
  type = 0;
  flags = 0;
  streamId = 0;
  length = 0;
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  selfDependent = false;
}

/** Options of a {@linkcode FrameReader}. */
export interface FrameReaderOptions {
  /** Whether the preface comes first, and then SETTINGS. Default: `true`. */
  readonly preface?: boolean;
}

/** Turns the bytes that a client sends into frames. */
export class FrameReader {
  readonly #frame = new ReadFrame();

  /** What was pushed last; its unread bytes are those from `#at`. */
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** The beginning of a frame whose rest is in the chunk, or still to come. */
  #buffer: Uint8Array = EMPTY;
  #buffered = 0;
  /** How much of a payload is still to be dropped. */
  #dropping = 0;
  /** How much of the preface has come. */
  #preface = 0;
  /** Whether the next frame must be SETTINGS. */
  #first: boolean;

  /** Reads a connection from its first byte. */
  constructor({ preface = true }: FrameReaderOptions = {}) {
    this.#first = preface;
    if (!preface) this.#preface = PREFACE_BYTES;
  }

  /** Whether the preface, or a frame, has begun to arrive and is not complete. */
  get midFrame(): boolean {
    return this.#buffered > 0 || this.#dropping > 0 ||
      this.#at < this.#chunk.length ||
      this.#preface > 0 && this.#preface < PREFACE_BYTES;
  }

  /**
   * Adds bytes that have arrived. The reader points to them until
   * {@linkcode FrameReader.next} returns `undefined`, which must come before the
   * next call; after that, their memory can be used again.
   */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) {
      throw new Error("Cannot add bytes: frames of the last ones are unread");
    }
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Reads the next frame; `undefined` if more bytes are needed. The frame holds
   * until the next call.
   *
   * @throws {Http2Error} If the bytes break a rule. After a stream error, the
   * next frame can be read; a connection error leaves nothing to be read.
   */
  next(): Frame | undefined {
    if (this.#preface < PREFACE_BYTES && !this.#takePreface()) {
      return this.#await();
    }
    if (this.#dropping > 0 && !this.#drop()) return this.#await();
    return this.#buffered > 0 ? this.#nextFromBuffer() : this.#nextFromChunk();
  }

  #takePreface(): boolean {
    const taken = comparePreface(this.#chunk, this.#at, this.#preface);
    if (taken === undefined) {
      throw connectionError("PROTOCOL_ERROR", "Cannot read preface");
    }
    this.#preface += taken;
    this.#at += taken;
    return this.#preface === PREFACE_BYTES;
  }

  /** Drops what has come of a payload; whether that was all of it. */
  #drop(): boolean {
    const count = Math.min(this.#dropping, this.#chunk.length - this.#at);
    this.#dropping -= count;
    this.#at += count;
    return this.#dropping === 0;
  }

  #nextFromChunk(): Frame | undefined {
    const start = this.#at;
    const available = this.#chunk.length - start;
    if (available < FRAME_HEAD_BYTES) return this.#keep(FRAME_HEAD_BYTES);
    const size = this.#readHead(this.#chunk, start);
    if (!isKnown(this.#frame.type)) {
      this.#at = start + FRAME_HEAD_BYTES;
      return this.#ignoreContent();
    }
    if (available < size) return this.#keep(size);
    this.#at = start + size;
    return this.#readContent(this.#chunk, start + FRAME_HEAD_BYTES);
  }

  /** Goes on with a frame whose beginning is in the buffer. */
  #nextFromBuffer(): Frame | undefined {
    if (!this.#bufferUpTo(FRAME_HEAD_BYTES)) return this.#await();
    const size = this.#readHead(this.#buffer, 0);
    if (!isKnown(this.#frame.type)) {
      this.#buffered = 0;
      return this.#ignoreContent();
    }
    if (!this.#bufferUpTo(size)) return this.#await();
    this.#buffered = 0;
    return this.#readContent(this.#buffer, FRAME_HEAD_BYTES);
  }

  /** Copies the beginning of `size` bytes: the chunk may not be kept. */
  #keep(size: number): undefined {
    this.#bufferUpTo(size);
    return this.#await();
  }

  /** Forgets the chunk, which is used up: its memory is not the reader's. */
  #await(): undefined {
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#frame.bytes = EMPTY;
    if (this.#buffered === 0) this.#buffer = EMPTY;
  }

  /** Fills the buffer up from the chunk; whether it now has `size` bytes. */
  #bufferUpTo(size: number): boolean {
    const missing = size - this.#buffered;
    if (missing <= 0) return true;
    const count = Math.min(missing, this.#chunk.length - this.#at);
    const end = this.#buffered + count;
    if (end > this.#buffer.length) this.#grow(end);
    const part = this.#chunk.subarray(this.#at, this.#at + count);
    this.#buffer.set(part, this.#buffered);
    this.#buffered = end;
    this.#at += count;
    return count === missing;
  }

  #grow(size: number): void {
    const doubled = Math.max(size, 2 * this.#buffer.length, MIN_BUFFER_BYTES);
    const grown = new Uint8Array(Math.min(doubled, MAX_BUFFER_BYTES));
    grown.set(this.#buffer.subarray(0, this.#buffered));
    this.#buffer = grown;
  }

  /** Reads and checks a head; returns how long its frame is, head and all. */
  #readHead(bytes: Uint8Array, at: number): number {
    const frame = this.#frame;
    frame.length = bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
    frame.type = bytes[at + 3];
    frame.flags = bytes[at + 4];
    frame.streamId = readUint31(bytes, at + 5);
    checkFrameHead(frame);
    if (this.#first) this.#checkFirst();
    return FRAME_HEAD_BYTES + frame.length;
  }

  #checkFirst(): void {
    const { type, flags } = this.#frame;
    if (type !== FRAME_TYPES.SETTINGS || (flags & FLAGS.ACK) !== 0) {
      throw connectionError(
        "PROTOCOL_ERROR",
        "The first frame of a connection must be SETTINGS",
      );
    }
  }

  #ignoreContent(): Frame {
    this.#dropping = this.#frame.length;
    return this.#show(EMPTY, 0, 0);
  }

  /** Finds the content in the payload that begins at `at`. */
  #readContent(bytes: Uint8Array, at: number): Frame {
    const frame = this.#frame;
    this.#first = false;
    this.#show(bytes, at, at + frame.length);
    const { type } = frame;
    if (type === FRAME_TYPES.DATA) {
      if ((frame.flags & FLAGS.PADDED) !== 0) this.#cutPadding();
    } else if (type === FRAME_TYPES.HEADERS) {
      this.#cutPrefix();
    } else {
      checkContent(frame);
    }
    return frame;
  }

  #show(bytes: Uint8Array, start: number, end: number): Frame {
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = start;
    frame.end = end;
    frame.selfDependent = false;
    return frame;
  }

  /** Takes padding off both ends of HEADERS, and the priority fields. */
  #cutPrefix(): void {
    const frame = this.#frame;
    const { flags } = frame;
    if ((flags & (FLAGS.PADDED | FLAGS.PRIORITY)) === 0) return;
    const begin = frame.start + headersPrefix(flags);
    if ((flags & FLAGS.PADDED) !== 0) this.#cutPadding();
    if ((flags & FLAGS.PRIORITY) === 0) return;
    frame.selfDependent = dependsOnItself(frame);
    frame.start = begin;
    if (begin > frame.end) throw tooMuchPadding();
  }

  #cutPadding(): void {
    const frame = this.#frame;
    frame.end -= frame.bytes[frame.start++];
    if (frame.end < frame.start) throw tooMuchPadding();
  }
}

function tooMuchPadding(): Http2Error {
  return connectionError("PROTOCOL_ERROR", "Cannot read frame: all padding");
}

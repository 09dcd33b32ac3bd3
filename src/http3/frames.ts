/**
 * The frames of HTTP/3 (RFC 9114, section 7): a type, a length, a payload. They are
 * cut out of the bytes of a stream, however those come. A payload is handed out
 * whole or in pieces, or is skipped, as the reader's user chooses when its head has
 * come: what is too large, or not known, is never kept.
 *
 * @module
 */

import { encodeVarints, VarintReader } from "./varint.ts";

/** The types that mean something here. */
export const FRAME_TYPES = {
  DATA: 0x00,
  HEADERS: 0x01,
  CANCEL_PUSH: 0x03,
  SETTINGS: 0x04,
  PUSH_PROMISE: 0x05,
  GOAWAY: 0x07,
  MAX_PUSH_ID: 0x0d,
  PRIORITY_UPDATE: 0xf0700,
  PUSH_PRIORITY_UPDATE: 0xf0701,
} as const;

/** The name of a type. */
export type FrameName = keyof typeof FRAME_TYPES;

/** A frame of a reserved type, without content, that every peer skips. */
export const RESERVED_FRAME: Uint8Array = Uint8Array.of(0x21, 0x00);

/** What becomes of a payload. */
export type FrameUse = "whole" | "pieces" | "skip";

/** Chooses what becomes of a payload; throws if the frame is not allowed. */
export type ChooseUse = (type: number, length: number) => FrameUse;

/** A payload, or a piece of one. It holds until the next bytes are pushed. */
export interface FramePart {
  /** The type of the frame. */
  readonly type: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** A payload that comes in pieces is collected in memory that doubles. */
const MIN_COLLECTED_BYTES = 256;

/** Cuts the bytes of one stream into frames. */
export class FrameReader {
  readonly #choose: ChooseUse;
  readonly #varint = new VarintReader();
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** The type of the frame that has begun, once it is known. */
  #type: number | undefined;
  #use: FrameUse | undefined;
  /** How much of its payload is to come. */
  #left = 0;
  #collected = EMPTY;
  #collectedLength = 0;

  /** Creates a reader at the start of a stream. */
  constructor(choose: ChooseUse) {
    this.#choose = choose;
  }

  /** Whether a frame has begun, and is not whole. */
  get midway(): boolean {
    return this.#varint.midway || this.#type !== undefined;
  }

  /** Adds bytes, after all that were pushed before have been read. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next payload, or piece of one; `undefined` if more bytes are needed.
   *
   * @throws What `choose` throws.
   */
  next(): FramePart | undefined {
    while (this.#use !== undefined || this.#readHead()) {
      const part = this.#readPayload();
      if (part !== undefined) return part;
      if (this.#left > 0) break;
    }
    this.#chunk = EMPTY; // It may be large.
    this.#at = 0;
    return undefined;
  }

  /** Reads a type and a length, as far as they have come. */
  #readHead(): boolean {
    while (this.#at < this.#chunk.length) {
      const value = this.#varint.next(this.#chunk[this.#at++]);
      if (value === undefined) continue;
      if (this.#type === undefined) this.#type = value;
      else {
        this.#left = value;
        this.#use = this.#choose(this.#type, value);
        return true;
      }
    }
    return false;
  }

  #readPayload(): FramePart | undefined {
    const end = Math.min(this.#chunk.length, this.#at + this.#left);
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    this.#left -= bytes.length;
    const use = this.#use;
    const type = this.#type!;
    if (this.#left === 0) this.#use = this.#type = undefined;
    if (use === "skip") return undefined;
    if (use === "pieces") {
      return bytes.length > 0 || this.#left === 0 ? { type, bytes } : undefined;
    }
    return this.#collect(type, bytes);
  }

  #collect(type: number, bytes: Uint8Array): FramePart | undefined {
    const before = this.#collectedLength;
    if (before === 0 && this.#left === 0) return { type, bytes };
    this.#reserve(before + bytes.length);
    this.#collected.set(bytes, before);
    this.#collectedLength += bytes.length;
    if (this.#left > 0) return undefined;
    const whole = this.#collected.subarray(0, this.#collectedLength);
    this.#collected = EMPTY;
    this.#collectedLength = 0;
    return { type, bytes: whole };
  }

  #reserve(length: number): void {
    if (length <= this.#collected.length) return;
    const grown = new Uint8Array(Math.max(MIN_COLLECTED_BYTES, 2 * length));
    grown.set(this.#collected.subarray(0, this.#collectedLength));
    this.#collected = grown;
  }
}

/** The type and the length of a frame. */
export function frameHead(type: FrameName, length: number): Uint8Array {
  return encodeVarints(FRAME_TYPES[type], length);
}

/** A whole frame. */
export function encodeFrame(
  type: FrameName,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const head = frameHead(type, payload.length);
  const frame = new Uint8Array(head.length + payload.length);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

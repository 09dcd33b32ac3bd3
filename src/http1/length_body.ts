/**
 * Content whose length the head of the request says (RFC 9112, section 6.2).
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";
import { type BodyFramer, MAX_READ_BYTES } from "./body_framer.ts";

/** Takes content of a known length. */
export class LengthBody implements BodyFramer {
  readonly #reader: ByteReader;
  #left: number;

  /** The next `length` bytes of `reader` are the content. */
  constructor(reader: ByteReader, length: number) {
    this.#reader = reader;
    this.#left = length;
  }

  /** Whether all of it was taken. */
  get complete(): boolean {
    return this.#left === 0;
  }

  /** Bytes that were not taken. */
  get left(): number {
    return this.#left;
  }

  /** Takes up to 64 KiB of what is buffered. */
  take(): Uint8Array | undefined {
    if (this.#left === 0) return undefined;
    const chunk = this.#reader.take(Math.min(this.#left, MAX_READ_BYTES));
    if (chunk !== undefined) this.#left -= chunk.length;
    return chunk;
  }
}

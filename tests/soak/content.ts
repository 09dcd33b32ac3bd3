// Content that can be made anew from a seed, and a checksum of any: so that a
// client knows what an answer must be without having kept it.

import { Random } from "../_feeding.ts";

/** The longest content that {@linkcode contentOf} makes, in bytes. */
export const MAX_CONTENT_BYTES = 1024 * 1024;

/** All contents are slices of this one: to make one costs nothing. */
const printable = makePrintable(MAX_CONTENT_BYTES + 256);

function makePrintable(length: number): Uint8Array<ArrayBuffer> {
  const random = new Random(7);
  return Uint8Array.from({ length }, () => 0x20 + random.below(0x5f));
}

/** Printable ASCII of a length, which differs from seed (0–255) to seed. */
export function contentOf(
  seed: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  return printable.subarray(seed, seed + length);
}

/** A checksum of bytes that come in any pieces (FNV-1a), with their number. */
export class Checksum {
  #hash = 0x811c9dc5;
  #length = 0;

  /** Adds bytes. */
  add(bytes: Uint8Array): this {
    let hash = this.#hash;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    this.#hash = hash;
    this.#length += bytes.length;
    return this;
  }

  /** Says how many bytes there were, and what they were. */
  toString(): string {
    return `${this.#length} ${(this.#hash >>> 0).toString(16)}`;
  }
}

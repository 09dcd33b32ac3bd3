/**
 * Reads the integers and strings that HPACK and QPACK are made of (RFC 7541,
 * section 5; RFC 9204, section 4.1). They begin within a byte, whose upper bits
 * say what they are. What is cut, or too large, is a value and no exception: the
 * reader's user throws the error of its protocol.
 *
 * @module
 */

import { byteStringOf } from "../streams/byte_string.ts";
import { decodeHuffman } from "./huffman.ts";

/** What is returned for an integer that is cut or too large. */
export const NO_INTEGER = -1;

/** Values up to 2²⁸ are more than any index or length that is accepted. */
const MAX_CONTINUATION_BYTES = 4;

/** Reads one block, which must not change meanwhile, from its start to its end. */
export class LiteralReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #cut = false;

  /** Creates a reader at the start of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all has been read. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#at;
  }

  /** Whether what could not be read is cut: more bytes might complete it. */
  get cut(): boolean {
    return this.#cut;
  }

  /** The next byte, which stays the next; undefined behavior at the end. */
  peek(): number {
    return this.#bytes[this.#at];
  }

  /**
   * Reads an integer (RFC 7541, section 5.1) that begins in the lowest
   * `prefixBits` (1–8) of the next byte.
   *
   * `maxContinuationBytes` (0–7, so that no value is above 2⁵³) is how many
   * bytes may follow that one, zeros included. Default: 4.
   *
   * @returns The integer; {@linkcode NO_INTEGER} if it is cut or has more bytes.
   */
  readInteger(
    prefixBits: number,
    maxContinuationBytes: number = MAX_CONTINUATION_BYTES,
  ): number {
    if (this.done) return this.#cutInteger();
    const largest = (1 << prefixBits) - 1;
    const prefix = this.#bytes[this.#at++] & largest;
    return prefix < largest
      ? prefix
      : this.#readContinuation(largest, maxContinuationBytes);
  }

  #readContinuation(value: number, maxBytes: number): number {
    let weight = 1;
    for (let i = 0; i < maxBytes; i++, weight *= 128) {
      if (this.done) return this.#cutInteger();
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
    }
    return NO_INTEGER;
  }

  #cutInteger(): number {
    this.#cut = true;
    return NO_INTEGER;
  }

  /**
   * Reads a string (RFC 7541, section 5.2) whose length begins in the lowest
   * `prefixBits` (1–7) of the next byte. The bit above them says whether it is
   * in the Huffman code.
   *
   * @returns A byte string; `undefined` if it is cut, or its code is broken.
   */
  readString(prefixBits: number): string | undefined {
    const huffman = (this.peek() >> prefixBits & 1) === 1;
    const length = this.readInteger(prefixBits);
    const start = this.#at;
    const end = start + length;
    if (length === NO_INTEGER) return undefined;
    if (end > this.#bytes.length) {
      this.#cut = true;
      return undefined;
    }
    this.#at = end;
    return huffman
      ? decodeHuffman(this.#bytes, start, end)
      : byteStringOf(this.#bytes, start, end);
  }
}

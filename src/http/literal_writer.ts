/**
 * Writes the integers and strings that HPACK and QPACK are made of (RFC 7541,
 * section 5; RFC 9204, section 4.1).
 *
 * @module
 */

import { encodeByteStringInto } from "../streams/byte_string.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import { encodeHuffmanInto, huffmanLength } from "./huffman.ts";

const INITIAL_BYTES = 1024;
/** A buffer that has grown beyond this is not kept. */
const MAX_KEPT_BYTES = 64 * 1024;
/** An integer up to 2⁵³: its prefix, and 7 bits in each byte after it. */
const MAX_INTEGER_BYTES = 9;

/** Collects one block after the other. It holds some KiB, and can be shared. */
export class LiteralWriter {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  /**
   * Writes an integer (RFC 7541, section 5.1) into the lowest `prefixBits` (1–8)
   * of a byte and those that follow; `flags` are the bits above them.
   */
  integer(flags: number, prefixBits: number, value: number): void {
    const largest = (1 << prefixBits) - 1;
    this.#reserve(MAX_INTEGER_BYTES);
    if (value < largest) {
      this.#buffer[this.#length++] = flags | value;
      return;
    }
    this.#buffer[this.#length++] = flags | largest;
    let rest = value - largest;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) {
      this.#buffer[this.#length++] = rest & 0x7f | 0x80;
    }
    this.#buffer[this.#length++] = rest;
  }

  /**
   * Writes a string (RFC 7541, section 5.2), in the Huffman code if that is
   * shorter. Its length begins in the lowest `prefixBits` (1–7) of a byte, the
   * bit above them says whether it is in that code, `flags` are the others.
   *
   * @throws {TypeError} If `text` is no byte string.
   */
  string(flags: number, prefixBits: number, text: string): void {
    const encoded = huffmanLength(text);
    if (Number.isNaN(encoded)) {
      throw new TypeError(
        "Cannot encode a field: its name and value must be byte strings",
      );
    }
    const huffman = encoded < text.length;
    const length = huffman ? encoded : text.length;
    this.integer(huffman ? flags | 1 << prefixBits : flags, prefixBits, length);
    this.#reserve(length);
    if (huffman) encodeHuffmanInto(text, this.#buffer, this.#length);
    else encodeByteStringInto(text, this.#buffer.subarray(this.#length));
    this.#length += length;
  }

  /** A copy of what was written; the writer is empty after it. */
  take(): Uint8Array<ArrayBuffer> {
    return copyBytes(this.lend());
  }

  /** As {@linkcode LiteralWriter.take}, but what is written next overwrites it. */
  lend(): Uint8Array<ArrayBuffer> {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.clear();
    return bytes;
  }

  /** Drops what was written. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > MAX_KEPT_BYTES) {
      this.#buffer = new Uint8Array(INITIAL_BYTES);
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(2 * needed);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

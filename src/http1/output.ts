/**
 * Collects the small pieces of a response, so that they leave in few writes.
 *
 * Everything is copied, so callers may reuse their bytes at once. The buffers
 * come from a pool that all connections share: a connection that has nothing
 * to send holds none.
 *
 * @module
 */

import { encodeByteStringInto } from "../streams/byte_string.ts";

/** Room for a head, and for the 64 KiB of the largest piece of a body. */
const BUFFER_BYTES = 72 * 1024;
const MAX_POOLED = 32;
const pool: Uint8Array[] = [];

/** The bytes that wait to be written to one connection. */
export class Output {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #buffer: Uint8Array | undefined;
  #length = 0;
  #writing: Promise<void> | undefined;

  /** `write` is called with one buffer at a time. */
  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** The number of bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends a byte string. */
  text(text: string): void {
    const buffer = this.#reserve(text.length);
    encodeByteStringInto(text, buffer.subarray(this.#length));
    this.#length += text.length;
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes what waits, behind what is being written. */
  flush(): Promise<void> | undefined {
    if (this.#length === 0) return this.#writing;
    const buffer = this.#buffer!;
    const bytes = buffer.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    return this.#writing = this.#send(bytes, buffer, this.#writing);
  }

  async #send(
    bytes: Uint8Array,
    buffer: Uint8Array,
    earlier: Promise<void> | undefined,
  ): Promise<void> {
    if (earlier !== undefined) await earlier;
    await this.#write(bytes);
    if (buffer.length === BUFFER_BYTES && pool.length < MAX_POOLED) {
      pool.push(buffer);
    }
  }

  #reserve(extra: number): Uint8Array {
    const needed = this.#length + extra;
    let buffer = this.#buffer ??= pool.pop() ?? new Uint8Array(BUFFER_BYTES);
    if (needed > buffer.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(buffer.subarray(0, this.#length));
      buffer = this.#buffer = grown;
    }
    return buffer;
  }
}

/**
 * Content that has come and was not taken. Bytes are copied once, into chunks
 * that are never moved: a large frame gets one of its own, and those that come
 * before it is taken share larger ones, so that tiny frames cost no more than
 * their bytes.
 *
 * What is taken is the taker's: nothing else lies in the same memory, which it may
 * hand on to a worker, for instance.
 *
 * @module
 */

const MAX_CHUNK_BYTES = 64 * 1024;

/** Bytes that are taken in the order in which they were added. */
export class ContentBuffer {
  readonly #chunks: Uint8Array[] = [];
  /** Where the untaken bytes begin in the first chunk. */
  #start = 0;
  /** Where they end in the last one. */
  #end = 0;
  #length = 0;

  /** How many bytes were not taken. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a copy of bytes; `expected` says how many may come at most, with these.
   */
  add(bytes: Uint8Array, expected: number): void {
    let rest = bytes;
    while (rest.length > 0) {
      const chunk = this.#chunkWithRoom(rest.length, expected);
      const size = Math.min(rest.length, chunk.length - this.#end);
      chunk.set(
        size === rest.length ? rest : rest.subarray(0, size),
        this.#end,
      );
      this.#end += size;
      this.#length += size;
      rest = rest.subarray(size);
    }
  }

  /** Takes up to `maxBytes`; `undefined` if there are none. */
  take(maxBytes: number): Uint8Array | undefined {
    const [first] = this.#chunks;
    if (this.#length === 0) return undefined;
    const start = this.#start;
    const end = this.#chunks.length === 1 ? this.#end : first.length;
    const size = Math.min(maxBytes, end - start);
    this.#start += size;
    this.#length -= size;
    if (this.#start === end) this.#shift();
    return size === first.length ? first : first.slice(start, start + size);
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks.length = 0;
    this.#start = 0;
    this.#length = 0;
  }

  #shift(): void {
    this.#chunks.shift();
    this.#start = 0;
  }

  #chunkWithRoom(size: number, expected: number): Uint8Array {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#end < last.length) return last;
    const wanted = Math.min(this.#length, expected, MAX_CHUNK_BYTES);
    const chunk = new Uint8Array(Math.max(size, wanted));
    this.#chunks.push(chunk);
    this.#end = 0;
    return chunk;
  }
}

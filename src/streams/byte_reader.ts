/**
 * Reads a stream of bytes by lines, by blocks of lines, and by runs of bytes.
 *
 * Every `take…` method works on what is buffered and returns `undefined` when
 * more bytes are needed; {@linkcode ByteReader.fill} waits for the next chunk of
 * the stream. So a parser runs synchronously over whatever has arrived, and
 * waits only when it must. A scan that ran out of bytes goes on where it
 * stopped: bytes that trickle in one by one cost no more than a burst of them.
 *
 * Lines end in CRLF and hold no control character but HTAB; they are handed out
 * as byte strings (one code unit 0–255 a byte).
 *
 * @module
 */

import { decodeByteString } from "./byte_string.ts";

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

const EMPTY = new Uint8Array(0);

/** What is wrong with a line. */
export type LineFault =
  | "bare CR"
  | "bare LF"
  | "control character"
  | "line too long"
  | "block too long";

/** Thrown for bytes that are no line as {@linkcode ByteReader} defines it. */
export class LineError extends Error {
  /** The name of the class. */
  override readonly name = "LineError";
  /** What is wrong with the line. */
  readonly fault: LineFault;

  /** Creates the error for one fault. */
  constructor(fault: LineFault) {
    super(`Cannot read line: ${fault}`);
    this.fault = fault;
  }
}

/**
 * Reads lines and bytes from a `ReadableStream<Uint8Array>`.
 *
 * @example
 * ```ts
 * import { ByteReader } from "jsr:@x/asgi/http1";
 *
 * const reader = new ByteReader(new Blob(["GET / HTTP/1.1\r\n\r\n"]).stream());
 * await reader.readLine(100); // "GET / HTTP/1.1"
 * ```
 */
export class ByteReader {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  #pending: Promise<boolean> | undefined;
  #ended = false;

  /** The unread bytes are those of `#bytes` from `#start` to `#end`. */
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;
  /** Whether nobody else uses that memory: the stream may overwrite its own. */
  #owned = false;

  /** Where the scan goes on, and where its line and its block's rest start. */
  #scanned = 0;
  #lineStart = 0;
  #firstLineEnd = 0;
  #ascii = true;

  /**
   * Takes the stream's lock, and holds it for good. The stream may reuse the
   * memory of a chunk when it is asked for the next one.
   */
  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source.getReader();
  }

  /** The number of bytes that have arrived and were not taken. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Whether the stream has ended; bytes may still be buffered. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Waits for the stream's next chunk; calls while one is awaited share it.
   *
   * @returns Whether a chunk arrived; `false` at the stream's end.
   * @throws Whatever the stream was errored with.
   */
  fill(): Promise<boolean> {
    return this.#pending ??= this.#fill();
  }

  // Many readers wait here at once, and an async function would hold its frame.
  #fill(): Promise<boolean> {
    // The source may overwrite its last chunk when it is asked for the next.
    if (this.buffered > 0 && !this.#owned) this.#move(this.buffered);
    return this.#source.read().then(this.#filled, this.#failed);
  }

  readonly #filled = (
    { done, value }: ReadableStreamReadResult<Uint8Array>,
  ): boolean => {
    this.#pending = undefined;
    if (value !== undefined) this.#append(value);
    this.#ended = done;
    return !done;
  };

  readonly #failed = (error: unknown): never => {
    this.#pending = undefined;
    throw error;
  };

  /**
   * What is buffered, neither taken nor copied: it holds until bytes are taken,
   * discarded, or waited for.
   */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /**
   * Takes up to `maxBytes` of what is buffered. The chunk has memory of its own,
   * which holds nothing else.
   */
  take(maxBytes: number): Uint8Array | undefined {
    const length = Math.min(maxBytes, this.buffered);
    if (length === 0) return undefined;
    const end = this.#start + length;
    const whole = this.#owned && length === this.#bytes.length;
    const chunk = whole ? this.#bytes : this.#bytes.slice(this.#start, end);
    this.#consume(end);
    return chunk;
  }

  /** Takes exactly `length` bytes (a small number: they are all buffered first). */
  takeExactly(length: number): Uint8Array | undefined {
    return this.buffered < length ? undefined : this.take(length);
  }

  /**
   * Takes one line, without its CRLF.
   *
   * @throws {LineError} If the bytes are no line, or one longer than `maxBytes`.
   */
  takeLine(maxBytes: number): string | undefined {
    const end = this.#scan(maxBytes, 0, true);
    if (end === -1) return undefined;
    return this.#takeText(end - 2, end);
  }

  /**
   * Takes a block of lines that ends in an empty line, without that line: each
   * line of the returned text ends in CRLF. A block that starts with the empty
   * line is "".
   *
   * @throws {LineError} If a line is faulty, if the first is longer than
   * `maxFirstLineBytes` ("line too long"), or if the others are together longer
   * than `maxRestBytes` ("block too long").
   */
  takeBlock(
    maxFirstLineBytes: number,
    maxRestBytes: number,
  ): string | undefined {
    const end = this.#scan(maxFirstLineBytes, maxRestBytes, false);
    if (end === -1) return undefined;
    return this.#takeText(end - 2, end);
  }

  /** Puts bytes back in front of what is buffered. */
  unread(bytes: Uint8Array): void {
    const joined = new Uint8Array(bytes.length + this.buffered);
    joined.set(bytes);
    joined.set(this.#bytes.subarray(this.#start, this.#end), bytes.length);
    this.#adopt(joined, true);
  }

  /** As {@linkcode ByteReader.take}, but waits; `null` at the stream's end. */
  async read(maxBytes: number): Promise<Uint8Array | null> {
    while (this.buffered === 0) if (!await this.fill()) return null;
    return this.take(maxBytes) ?? EMPTY;
  }

  /**
   * As {@linkcode ByteReader.takeLine}, but waits; `null` if the stream ends
   * before the line does.
   */
  async readLine(maxBytes: number): Promise<string | null> {
    for (;;) {
      const line = this.takeLine(maxBytes);
      if (line !== undefined) return line;
      if (!await this.fill()) return null;
    }
  }

  /** Throws away what is buffered. */
  discard(): void {
    this.#consume(this.#end);
  }

  /** Cancels the stream. */
  cancel(reason?: unknown): Promise<void> {
    return this.#source.cancel(reason);
  }

  /**
   * Searches the end of the line, or of the block, that starts at `#start`.
   *
   * @returns The offset after its CRLF, or -1 if more bytes are needed.
   */
  #scan(maxFirstLine: number, maxRest: number, oneLine: boolean): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#scanned;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte >= SPACE && byte < DELETE || byte === HTAB) continue;
      if (byte > DELETE) {
        this.#ascii = false;
        continue;
      }
      if (byte !== CR) {
        throw new LineError(byte === LF ? "bare LF" : "control character");
      }
      if (at + 1 === end) break;
      if (bytes[at + 1] !== LF) throw new LineError("bare CR");
      const empty = at === this.#lineStart;
      at++;
      this.#lineStart = at + 1;
      if (this.#firstLineEnd === 0) this.#firstLineEnd = at + 1;
      if (empty || oneLine) {
        this.#checkLength(at - 1, maxFirstLine, maxRest);
        return at + 1;
      }
    }
    this.#scanned = at;
    this.#checkLength(at, maxFirstLine, maxRest);
    return -1;
  }

  #checkLength(at: number, maxFirstLine: number, maxRest: number): void {
    const firstLineEnd = this.#firstLineEnd;
    const firstLine = firstLineEnd === 0 ? at : firstLineEnd - 2;
    if (firstLine - this.#start > maxFirstLine) {
      throw new LineError("line too long");
    }
    if (firstLineEnd !== 0 && at - firstLineEnd > maxRest) {
      throw new LineError("block too long");
    }
  }

  #takeText(textEnd: number, consumedEnd: number): string {
    const bytes = this.#bytes.subarray(this.#start, textEnd);
    const text = decodeByteString(bytes, this.#ascii);
    this.#consume(consumedEnd);
    return text;
  }

  #consume(to: number): void {
    if (to === this.#end) {
      this.#adopt(EMPTY, false);
    } else {
      this.#start = to;
      this.#resetScan();
    }
  }

  #adopt(bytes: Uint8Array, owned: boolean): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = bytes.length;
    this.#owned = owned;
    this.#resetScan();
  }

  #resetScan(): void {
    this.#scanned = this.#start;
    this.#lineStart = this.#start;
    this.#firstLineEnd = 0;
    this.#ascii = true;
  }

  /** Adds a chunk: as it is if nothing is buffered, else in a buffer that doubles. */
  #append(chunk: Uint8Array): void {
    if (this.buffered === 0) return this.#adopt(chunk, false);
    const needed = this.buffered + chunk.length;
    const room = this.#bytes.length - this.#end;
    if (!this.#owned || chunk.length > room) this.#move(2 * needed);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Moves what is buffered to memory of its own, of `size` bytes. */
  #move(size: number): void {
    const shift = this.#start;
    const moved = new Uint8Array(size);
    moved.set(this.#bytes.subarray(shift, this.#end));
    this.#bytes = moved;
    this.#owned = true;
    this.#start = 0;
    this.#end -= shift;
    this.#scanned -= shift;
    this.#lineStart -= shift;
    if (this.#firstLineEnd !== 0) this.#firstLineEnd -= shift;
  }
}

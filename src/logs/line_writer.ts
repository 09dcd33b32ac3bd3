/**
 * Collects lines, so that many of them leave in one write.
 *
 * @module
 */

/** When a {@linkcode LineWriter} writes, and whom it tells if it cannot. */
export interface LineWriterOptions {
  /** So many bytes are collected at most. Default: 64 KiB. */
  maxBytes?: number;
  /** So long a line waits at most, in milliseconds; 0: not at all. Default: 100. */
  delay?: number;
  /** Called when a write fails, and the one before did not. Default: nothing. */
  onError?: (error: unknown) => void;
}

const encoder = new TextEncoder();
const NEWLINE = 0x0a;

/**
 * Writes lines in few writes: when `maxBytes` are collected, and `delay` after
 * the first line that waits. Dispose of it, or flush it, when nothing more
 * comes; a line that waits keeps the process alive until it is written.
 *
 * A write that throws loses the lines that it was given, and nothing else.
 *
 * @example
 * ```ts
 * import { LineWriter } from "jsr:@x/asgi/logs";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * const written: string[] = [];
 * {
 *   using lines = new LineWriter((bytes) => {
 *     written.push(new TextDecoder().decode(bytes));
 *   });
 *   lines.line("one");
 *   lines.line("two");
 * }
 * assertEquals(written, ["one\ntwo\n"]);
 * ```
 */
export class LineWriter implements Disposable {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #buffer: Uint8Array;
  readonly #delay: number;
  #length = 0;
  #lines = 0;
  #dropped = 0;
  #failing = false;
  #disposed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `write` takes all of the bytes before it returns: they are overwritten
   * behind that.
   *
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    write: (bytes: Uint8Array) => void,
    { maxBytes = 64 * 1024, delay = 100, onError }: LineWriterOptions = {},
  ) {
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
      throw new RangeError(`Cannot collect lines: "maxBytes" is ${maxBytes}`);
    }
    if (!(delay >= 0)) {
      throw new RangeError(`Cannot collect lines: "delay" is ${delay}`);
    }
    this.#write = write;
    this.#onError = onError;
    this.#buffer = new Uint8Array(maxBytes);
    this.#delay = delay;
  }

  /** How many lines were lost to writes that failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Appends a line; its newline may be left out. Behind the disposal, writes it. */
  line(text: string): void {
    if (!this.#put(text)) {
      this.flush();
      if (!this.#put(text)) return this.#send(encodeLine(text), 1);
    }
    if (this.#disposed || this.#delay === 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#delay);
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#length === 0) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    const lines = this.#lines;
    this.#length = 0;
    this.#lines = 0;
    this.#send(bytes, lines);
  }

  /** Writes what waits; from now on lines are written as they come. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.flush();
  }

  /** Puts a line behind those that wait, if there is room. */
  #put(text: string): boolean {
    const room = this.#buffer.subarray(this.#length);
    const { read, written } = encoder.encodeInto(text, room);
    if (read < text.length) return false;
    let length = written;
    if (!text.endsWith("\n")) {
      if (length === room.length) return false;
      room[length++] = NEWLINE;
    }
    this.#length += length;
    this.#lines++;
    return true;
  }

  #send(bytes: Uint8Array, lines: number): void {
    try {
      this.#write(bytes);
      this.#failing = false;
    } catch (error) {
      this.#dropped += lines;
      if (this.#failing) return;
      this.#failing = true;
      this.#onError?.(error);
    }
  }
}

function encodeLine(text: string): Uint8Array {
  return encoder.encode(text.endsWith("\n") ? text : `${text}\n`);
}

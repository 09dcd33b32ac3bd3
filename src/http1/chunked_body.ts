/**
 * Content in chunks (RFC 9112, section 7.1).
 *
 * A chunk is a size in hexadecimal digits, extensions that are checked and
 * ignored, CRLF, that many bytes, CRLF. Extensions of a whole body share one
 * budget of bytes. Trailers are parsed as fields are, and never merged into
 * the headers.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import { HttpError, quote } from "../http/http_error.ts";
import type { RequestLimits } from "../http/limits.ts";
import { type ByteReader, LineError } from "../streams/byte_reader.ts";
import { type BodyFramer, MAX_READ_BYTES } from "./body_framer.ts";
import { parseFieldLines } from "./field_lines.ts";

/** The most bytes that chunk extensions may take in one body. */
const MAX_EXTENSION_BYTES = 4 * 1024;
const MAX_SIZE_DIGITS = 15;
const SIZE = /^[0-9A-Fa-f]{1,15}/;
/** Token or quoted string after each name; white space around ";" and "=". */
const EXTENSIONS =
  /^(?:[\t ]*;[\t ]*[!#$%&'*+\-.^_`|~\w]+(?:[\t ]*=[\t ]*(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/;

/** What a chunked body's bytes are next. */
type ChunkedState = "size" | "data" | "data end" | "trailers";

/** Takes content out of its chunks. */
export class ChunkedBody implements BodyFramer {
  readonly #reader: ByteReader;
  readonly #limits: RequestLimits;
  #state: ChunkedState = "size";
  /** What is left of the current chunk. */
  #left = 0;
  #complete = false;
  #received = 0;
  #extensionBytes = 0;
  #trailers: Field[] = [];
  /** Why the body was refused: it stays refused. */
  #fault: unknown;

  /** The next bytes of `reader` are the first chunk. */
  constructor(reader: ByteReader, limits: RequestLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  /** Whether the trailers were taken. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Nobody knows before the end. */
  get left(): number {
    return this.#complete ? 0 : Infinity;
  }

  /** The trailers, once it is complete. */
  get trailers(): readonly Field[] {
    return this.#trailers;
  }

  /** Takes up to 64 KiB of what is buffered. */
  take(): Uint8Array | undefined {
    if (this.#complete || !this.#takeFraming()) return undefined;
    const chunk = this.#reader.take(Math.min(this.#left, MAX_READ_BYTES));
    if (chunk === undefined) return undefined;
    this.#left -= chunk.length;
    this.#received += chunk.length;
    if (this.#left === 0) this.#endData();
    return chunk;
  }

  /**
   * What has arrived after the data is parsed with it: so a fault shows
   * before the application acts on the data, and the last data as the last.
   */
  #endData(): void {
    this.#state = "data end";
    this.#takeFraming();
  }

  /** Takes what stands between data and data; whether data comes next. */
  #takeFraming(): boolean {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      while (this.#state !== "data") {
        if (!this.#takeFramingPart()) return false;
      }
      return true;
    } catch (error) {
      this.#fault = error;
      throw error;
    }
  }

  /** Takes one part of the framing; `false` at the body's end or if bytes lack. */
  #takeFramingPart(): boolean {
    switch (this.#state) {
      case "size": {
        const line = this.#takeSizeLine();
        if (line === undefined) return false;
        this.#left = this.#parseSize(line);
        this.#state = this.#left === 0 ? "trailers" : "data";
        return true;
      }
      case "data end": {
        const end = this.#reader.takeExactly(2);
        if (end === undefined) return false;
        if (end[0] !== 0x0d || end[1] !== 0x0a) {
          throw new HttpError(
            400,
            "Cannot parse chunk: it does not end in CRLF",
          );
        }
        this.#state = "size";
        return true;
      }
      case "trailers": {
        const block = this.#takeTrailers();
        if (block === undefined) return false;
        this.#trailers = parseFieldLines(block, 0, this.#limits.maxHeaders);
        this.#complete = true;
        return false;
      }
      case "data":
        return true;
    }
  }

  #takeSizeLine(): string | undefined {
    const left = MAX_EXTENSION_BYTES - this.#extensionBytes;
    try {
      return this.#reader.takeLine(MAX_SIZE_DIGITS + left);
    } catch (error) {
      throw asHttpError(error, 400);
    }
  }

  #parseSize(line: string): number {
    const digits = SIZE.exec(line)?.[0] ?? "";
    const extensions = line.slice(digits.length);
    if (digits === "" || !EXTENSIONS.test(extensions)) {
      throw new HttpError(400, `Cannot parse chunk size: ${quote(line)}`);
    }
    this.#extensionBytes += extensions.length;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES) {
      throw new HttpError(400, "Cannot accept chunk extensions: too long");
    }
    const size = Number.parseInt(digits, 16);
    if (this.#received + size > this.#limits.maxBodyBytes) {
      const { maxBodyBytes } = this.#limits;
      throw new HttpError(413, `Cannot accept more than ${maxBodyBytes} bytes`);
    }
    return size;
  }

  #takeTrailers(): string | undefined {
    const { maxHeaderBytes } = this.#limits;
    let block: string | undefined;
    try {
      block = this.#reader.takeBlock(maxHeaderBytes, maxHeaderBytes);
    } catch (error) {
      throw asHttpError(error, 431);
    }
    if (block !== undefined && block.length > maxHeaderBytes) {
      throw new HttpError(431, "Cannot accept trailers: too long");
    }
    return block;
  }
}

/** A faulty line is a bad request; one that is too long has its own status. */
function asHttpError(error: unknown, tooLongStatus: number): unknown {
  if (!(error instanceof LineError)) return error;
  const tooLong = error.fault.endsWith("too long");
  return new HttpError(tooLong ? tooLongStatus : 400, error.message);
}

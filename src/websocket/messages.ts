/**
 * Messages (RFC 6455, section 5.4): put together from the parts of their frames.
 *
 * - The limit holds for content: the inflated bytes are counted while they are
 *   inflated, and a frame's length is counted before its bytes have come.
 * - Text is checked as it arrives, and fails at the first bad byte.
 * - A message in one uncompressed part, the usual one, is made at once; others
 *   grow in a buffer that doubles, however small the parts are, and that is
 *   counted in the server's budget.
 * - A compressed message may have twice as many bytes as its content at most: it
 *   could go on for ever without any content.
 *
 * @module
 */

import { type BufferBudget, MAX_FREE_BYTES } from "./buffer_budget.ts";
import { MESSAGE_TOO_BIG } from "./close_codes.ts";
import type { Inflater } from "./deflate.ts";
import type { DataPart } from "./frames.ts";
import {
  decodeText,
  decodeValidText,
  invalidText,
  Utf8Validator,
} from "./utf8.ts";
import { WebSocketError } from "./websocket_error.ts";

/** A message: text as a string, binary as bytes, which are the receiver's own. */
export interface Message {
  /** The kind of the event. */
  readonly type: "message";
  /** What it holds. */
  readonly data: string | Uint8Array<ArrayBuffer>;
}

/** How messages are put together. */
export interface AssemblerOptions {
  /** The size of the largest message. */
  readonly maxBytes: number;
  /** What the buffer of a message is counted in. */
  readonly budget: BufferBudget;
  /** Without one, no message may be compressed. */
  readonly inflater?: Inflater | undefined;
}

/** What a message counts for besides its content, where messages wait. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** How much memory a message takes, at most: a text may have two bytes a unit. */
export function sizeOf({ data }: Message): number {
  return typeof data === "string" ? 2 * data.length : data.length;
}

/** The buffer of all who need none. */
const EMPTY = new Uint8Array(0);
/** Of compressed bytes, the least that is always taken. */
const MIN_COMPRESSED_BYTES = 1024;

/** Puts messages together, of at most a number of bytes each. */
export class MessageAssembler {
  readonly #maxBytes: number;
  readonly #budget: BufferBudget;
  readonly #inflater: Inflater | undefined;
  readonly #validator = new Utf8Validator();

  /** What has arrived of a message is in `#buffer`, up to `#length`. */
  #buffer: Uint8Array<ArrayBuffer> = EMPTY;
  #length = 0;
  #text = false;
  /** How many compressed bytes of it have arrived. */
  #compressed = 0;

  /** Holds nothing yet. */
  constructor({ maxBytes, budget, inflater }: AssemblerOptions) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#inflater = inflater;
  }

  /**
   * Adds a part: gives the message if it is the last one, else `undefined`, and
   * a promise of either if the message is compressed.
   *
   * @throws {WebSocketError} With 1009 for a message that is too big, 1013 for
   * one that the budget has no room for, and 1007 for text that is not UTF-8, or
   * data that is not compressed.
   */
  add(part: DataPart): Message | undefined | Promise<Message | undefined> {
    this.#text = part.text;
    if (part.compressed) return this.#inflate(part);
    const { payload, fin, remaining } = part;
    this.#checkSize(payload.length + remaining);
    const last = fin && remaining === 0;
    if (part.first && last) return this.#whole(payload);
    this.#append(payload, fin ? remaining : undefined);
    return last ? this.#finish() : undefined;
  }

  /** Drops what has arrived; nothing must be added any more. */
  close(): void {
    this.#inflater?.close();
    this.#resize(0);
    this.#length = 0;
  }

  async #inflate(part: DataPart): Promise<Message | undefined> {
    this.#checkCompressed(part);
    const last = part.fin && part.remaining === 0;
    await this.#inflater!.inflate(part.payload, last, (chunk) => {
      this.#checkSize(chunk.length);
      this.#append(chunk);
    });
    return last ? this.#finish() : undefined;
  }

  #checkCompressed({ first, payload, remaining }: DataPart): void {
    if (first) this.#compressed = 0;
    this.#compressed += payload.length;
    const size = this.#compressed + remaining;
    if (size > 2 * this.#maxBytes + MIN_COMPRESSED_BYTES) this.#refuse();
  }

  #checkSize(extra: number): void {
    if (this.#length + extra > this.#maxBytes) this.#refuse();
  }

  #refuse(): never {
    throw new WebSocketError(
      MESSAGE_TOO_BIG,
      `Cannot read message: more than ${this.#maxBytes} bytes`,
    );
  }

  #whole(payload: Uint8Array): Message {
    const data = this.#text ? decodeText(payload) : new Uint8Array(payload);
    return { type: "message", data };
  }

  /** `rest` is how much more the message has, where that is known. */
  #append(bytes: Uint8Array, rest?: number): void {
    if (this.#text && !this.#validator.push(bytes)) throw invalidText();
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) this.#grow(length, rest);
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /**
   * Never takes more than twice what has arrived, whatever a frame announces; and
   * counts nothing for what is small.
   */
  #grow(needed: number, rest = needed): void {
    const most = needed <= MAX_FREE_BYTES ? MAX_FREE_BYTES : this.#maxBytes;
    const size = Math.min(needed + Math.min(needed, rest), most);
    this.#resize(size);
  }

  #resize(size: number): void {
    this.#budget.resize(this.#buffer.length, size);
    this.#buffer = resized(this.#buffer, size);
  }

  #finish(): Message {
    if (this.#text && !this.#validator.complete) throw invalidText();
    const data = this.#text ? this.#takeText() : this.#takeBytes();
    this.#length = 0;
    return { type: "message", data };
  }

  #takeText(): string {
    const text = decodeValidText(this.#buffer.subarray(0, this.#length));
    this.#resize(0);
    return text;
  }

  #takeBytes(): Uint8Array<ArrayBuffer> {
    this.#resize(this.#length);
    const bytes = this.#buffer;
    this.#budget.resize(bytes.length, 0);
    this.#buffer = EMPTY;
    return bytes;
  }
}

/** Moves a buffer: the old memory is free at once, not when it is collected. */
function resized(
  buffer: Uint8Array<ArrayBuffer>,
  size: number,
): Uint8Array<ArrayBuffer> {
  if (buffer === EMPTY) return size === 0 ? EMPTY : new Uint8Array(size);
  const moved = buffer.buffer.transfer(size);
  return size === 0 ? EMPTY : new Uint8Array(moved);
}

/**
 * Messages (RFC 6455, section 5.4): put together from the parts of their frames.
 *
 * - The limit holds for content: the inflated bytes are counted while they are
 *   inflated, and a frame's length is counted before its bytes have come.
 * - Text is checked as it arrives, and fails at the first bad byte.
 * - A message in one uncompressed part, the usual one, is made at once; others
 *   grow in a buffer that doubles, however small the parts are.
 *
 * @module
 */

import { MESSAGE_TOO_BIG } from "./close_codes.ts";
import type { Inflater } from "./deflate.ts";
import type { DataPart } from "./frames.ts";
import { decodeText, invalidText, Utf8Validator } from "./utf8.ts";
import { WebSocketError } from "./websocket_error.ts";

/** A message: text as a string, binary as bytes, which are the receiver's own. */
export interface Message {
  /** Tells it from a close. */
  readonly type: "message";
  /** What it holds. */
  readonly data: string | Uint8Array<ArrayBuffer>;
}

const EMPTY = new Uint8Array(0);

/** Puts messages together, of at most a number of bytes each. */
export class MessageAssembler {
  readonly #maxBytes: number;
  readonly #inflater: Inflater | undefined;
  readonly #validator = new Utf8Validator();

  /** What has arrived of a message is in `#buffer`, up to `#length`. */
  #buffer: Uint8Array<ArrayBuffer> = EMPTY;
  #length = 0;
  #text = false;

  /** Without an `inflater`, no message may be compressed. */
  constructor(maxBytes: number, inflater?: Inflater) {
    this.#maxBytes = maxBytes;
    this.#inflater = inflater;
  }

  /**
   * Adds a part: gives the message if it is the last one, else `undefined`, and
   * a promise of either if the message is compressed.
   *
   * @throws {WebSocketError} With 1009 for a message that is too big, and 1007
   * for text that is not UTF-8, or data that is not compressed.
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

  async #inflate(part: DataPart): Promise<Message | undefined> {
    const last = part.fin && part.remaining === 0;
    await this.#inflater!.inflate(part.payload, last, (chunk) => {
      this.#checkSize(chunk.length);
      this.#append(chunk);
    });
    return last ? this.#finish() : undefined;
  }

  #checkSize(extra: number): void {
    if (this.#length + extra <= this.#maxBytes) return;
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

  /** Never takes more than twice what has arrived, whatever a frame announces. */
  #grow(needed: number, rest = needed): void {
    const grown = new Uint8Array(needed + Math.min(needed, rest));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  #finish(): Message {
    if (this.#text && !this.#validator.complete) throw invalidText();
    const buffer = this.#buffer;
    const length = this.#length;
    this.#buffer = EMPTY;
    this.#length = 0;
    const whole = length === buffer.length;
    const data = this.#text
      ? decodeText(whole ? buffer : buffer.subarray(0, length))
      : whole
      ? buffer
      : buffer.slice(0, length);
    return { type: "message", data };
  }
}

/**
 * The content of one request as it arrives in DATA (RFC 9113, section 6.1), and
 * the credit for it.
 *
 * A stream's window is given back as its content is read, so what is unread is
 * bounded by it. The connection's is given back as content arrives, so that one
 * stream that nobody reads does not stop the others; but only while not too much
 * is unread on all streams together ({@linkcode InboundBudget}).
 *
 * @module
 */

import { HttpError } from "../http/http_error.ts";
import { ContentBuffer } from "./content_buffer.ts";
import type { ReceiveWindow } from "./flow_window.ts";
import { type Frame, type Http2Error, streamError } from "./frames.ts";

/** The connection's window, and the unread content of all its streams. */
export class InboundBudget {
  readonly #window: ReceiveWindow;
  readonly #maxUnread: number;
  readonly #onCredit: () => void;
  #unread = 0;
  /** Credit that is held back: what is unread above the maximum. */
  #withheld = 0;

  /**
   * Holds credit back while more than `maxUnread` bytes are unread. `onCredit` is
   * called when such credit is owed again: a client that waits for it sends
   * nothing that could bring this to light.
   */
  constructor(
    window: ReceiveWindow,
    maxUnread: number,
    onCredit: () => void = () => {},
  ) {
    this.#window = window;
    this.#maxUnread = maxUnread;
    this.#onCredit = onCredit;
  }

  /** How many bytes of content are unread, of all streams. */
  get unread(): number {
    return this.#unread;
  }

  /**
   * A DATA frame of `length` bytes has come, on whatever stream. To be called
   * first, and for frames that are dropped as well.
   *
   * @throws {Http2Error} FLOW_CONTROL_ERROR of the connection, if it exceeds the
   * window.
   */
  arrived(length: number): void {
    this.#window.consume(length);
    this.#window.giveBack(length);
  }

  /** Content is kept for the application. */
  kept(bytes: number): void {
    this.#settle(bytes);
  }

  /** Content was read, or dropped. */
  released(bytes: number): void {
    this.#settle(-bytes);
  }

  #settle(change: number): void {
    this.#unread += change;
    const before = this.#withheld;
    this.#withheld = Math.max(0, this.#unread - this.#maxUnread);
    this.#window.giveBack(before - this.#withheld);
    if (this.#withheld < before) this.#onCredit();
  }
}

/** What is known of the content before it comes. */
export interface InboundBodyOptions {
  /** The Content-Length of the request, if it has one. */
  readonly contentLength?: number | undefined;
  /** How much content is accepted. Default: any. */
  readonly maxBytes?: number;
}

/** The content of one request. */
export class InboundBody {
  readonly #window: ReceiveWindow;
  readonly #budget: InboundBudget;
  readonly #declared: number | undefined;
  readonly #maxBytes: number;
  readonly #unread = new ContentBuffer();
  #received = 0;
  #ended = false;
  #dropping = false;

  /** `window` is that of the stream, `budget` that of the connection. */
  constructor(
    window: ReceiveWindow,
    budget: InboundBudget,
    { contentLength, maxBytes = Infinity }: InboundBodyOptions = {},
  ) {
    this.#window = window;
    this.#budget = budget;
    this.#declared = contentLength;
    this.#maxBytes = maxBytes;
  }

  /** How many bytes have come and were not read. */
  get unread(): number {
    return this.#unread.length;
  }

  /** Whether the client has sent all of it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the client can send the rest without more window, as far as is known. */
  get canEnd(): boolean {
    const declared = this.#declared ?? 0;
    return declared - this.#received <= this.#window.size;
  }

  /** Whether all of it was read. */
  get complete(): boolean {
    return this.#ended && this.unread === 0;
  }

  /**
   * Adds a DATA frame, for which {@linkcode InboundBudget.arrived} was called.
   *
   * @throws {Http2Error} Of the stream: FLOW_CONTROL_ERROR if it exceeds the
   * window, PROTOCOL_ERROR if it exceeds Content-Length.
   * @throws {HttpError} 413 if it exceeds `maxBytes`, unless it is dropped.
   */
  add({ bytes, start, end, length }: Frame): void {
    const size = end - start;
    this.#window.consume(length);
    this.#window.giveBack(length - size);
    this.#received += size;
    if (this.#declared !== undefined && this.#received > this.#declared) {
      throw this.#wrongLength();
    }
    if (this.#dropping) return this.#window.giveBack(size);
    if (this.#received > this.#maxBytes) {
      const message = `Cannot serve request: content exceeds ${this.#maxBytes}`;
      throw new HttpError(413, message);
    }
    this.#keep(bytes.subarray(start, end));
  }

  #keep(bytes: Uint8Array): void {
    const { length } = bytes;
    const before = this.#received - length;
    const most = this.#declared ?? this.#maxBytes;
    this.#unread.add(bytes, most - before);
    this.#budget.kept(length);
  }

  /**
   * The stream ends: with DATA, after that, or with trailers.
   *
   * @throws {Http2Error} PROTOCOL_ERROR of the stream, if Content-Length says
   * that more must come.
   */
  end(): void {
    if (this.#declared !== undefined && this.#received < this.#declared) {
      throw this.#wrongLength(); // It is never complete.
    }
    this.#ended = true;
  }

  /** Takes up to `maxBytes` of what is unread; `undefined` if there is none. */
  take(maxBytes: number): Uint8Array | undefined {
    const chunk = this.#unread.take(maxBytes);
    if (chunk !== undefined) this.#release(chunk.length);
    return chunk;
  }

  /** Drops what is unread, and all that will come. */
  drop(): void {
    this.#dropping = true;
    this.#release(this.unread);
    this.#unread.clear();
  }

  /** The increment for a WINDOW_UPDATE that is due; 0 if none is. */
  takeUpdate(): number {
    return this.#ended || this.#dropping ? 0 : this.#window.takeUpdate();
  }

  #release(bytes: number): void {
    this.#window.giveBack(bytes);
    this.#budget.released(bytes);
  }

  #wrongLength(): Http2Error {
    return streamError(
      this.#window.streamId,
      "PROTOCOL_ERROR",
      `Content of ${this.#received} bytes where Content-Length is ${this.#declared}`,
    );
  }
}

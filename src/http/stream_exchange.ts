/**
 * One request and its response on a stream of HTTP/2 or HTTP/3: the side of the
 * application (RFC 9113, section 8.1; RFC 9114, section 4.1). Other exchanges of
 * the connection go on beside it, and whatever happens to this one, its stream is
 * all that it can end.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";
import { handled } from "../streams/handled.ts";
import { errorPage } from "./error_page.ts";
import type {
  Disconnect,
  DisconnectListener,
  Exchange,
  RequestInfo,
} from "./exchange.ts";
import type { Field } from "./fields.ts";
import type { MessageStream } from "./message_stream.ts";
import type { RequestFields } from "./request_fields.ts";
import {
  checkInterimStatus,
  type ResponseDefaults,
} from "./response_fields.ts";
import {
  composeInterim,
  composeResponse,
  composeTrailers,
} from "./response_section.ts";
import { hasContent } from "./response_state.ts";
import { StreamTunnel } from "./stream_tunnel.ts";
import { WireProgress } from "./wire_progress.ts";

const EMPTY = new Uint8Array(0);

/** What of its options an exchange needs. */
export interface ExchangeOptions extends ResponseDefaults {
  /** How long the application may wait for a byte of the content. */
  readonly bodyTimeout: number;
  /** Whether early hints (103) may be sent. */
  readonly earlyHints: boolean;
}

/** What an exchange works with. */
export interface ExchangeContext<S extends MessageStream> {
  /** The version of HTTP. */
  readonly version: RequestInfo["version"];
  /** Deadlines and defaults. */
  readonly options: ExchangeOptions;
  /** Called when nothing works on the exchange any more. */
  released(stream: S): void;
}

/** A request, and the means to answer it. */
export class StreamExchange<S extends MessageStream>
  implements Exchange, DisconnectListener {
  /** The head of the request. */
  readonly request: RequestInfo;
  /** Is notified if the client disconnects before the response is complete. */
  disconnectListener: DisconnectListener | undefined;

  readonly #stream: S;
  readonly #context: ExchangeContext<S>;
  readonly #progress = new WireProgress();
  #continueOwed: boolean;
  #status: number | null = null;
  #refusal: number | undefined;
  /** The head, until it leaves with the first content. */
  #head: readonly Field[] | undefined;
  #hasContent = true;
  #bytesSent = 0;
  /** How many work on it: the handler, and an application that it has called. */
  #holders = 1;

  /** Created by the connection for each request. */
  constructor(
    request: RequestFields,
    stream: S,
    context: ExchangeContext<S>,
  ) {
    const { method, target, headers, protocol } = request;
    const { version } = context;
    this.request = { version, method, target, headers, protocol };
    this.#stream = stream;
    this.#context = context;
    this.#continueOwed = request.expectsContinue;
    stream.listener = this;
    stream.isHandled = true;
  }

  /** Whether early hints (103) can be sent. */
  get earlyHints(): boolean {
    return this.#context.options.earlyHints;
  }

  /** Whether all of the request's content was read. A tunnel is no content. */
  get bodyComplete(): boolean {
    return this.request.protocol !== undefined || this.#stream.body.complete;
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#stream.disconnect;
  }

  /** Whether the response has begun: it can't be replaced any more. */
  get committed(): boolean {
    return this.#progress.state !== "start";
  }

  /** Whether the response has been sent, or cut. */
  get complete(): boolean {
    return this.#progress.over;
  }

  /** The status that was sent; `null` if none was. */
  get status(): number | null {
    return this.#status;
  }

  /** The status that it was to be refused with, if it was. */
  get refusal(): number | undefined {
    return this.#refusal;
  }

  /** Bytes of content that were sent. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Whether the response was cut short, or never begun. */
  get aborted(): boolean {
    return this.#progress.state !== "complete" ||
      this.#stream.disconnect === "lost";
  }

  /** Is called by the stream. */
  disconnected(how: Disconnect): void {
    this.disconnectListener?.disconnected(how);
  }

  /** Something works on it besides its handler; {@linkcode StreamExchange.callReturned} is due. */
  callBegan(): void {
    this.#holders++;
  }

  /** One that works on it does no more. */
  callReturned(): void {
    if (--this.#holders > 0) return;
    this.#stream.isHandled = false;
    this.#context.released(this.#stream);
  }

  /**
   * Takes content of the request that has arrived; `undefined` if more bytes are
   * needed, or at its end.
   *
   * @throws {HttpError} 413 if it is too much.
   */
  takeBody(): Uint8Array | undefined {
    if (this.request.protocol !== undefined) return undefined;
    const chunk = this.#stream.takeContent();
    // A client whose content has begun to arrive does not wait for the 100.
    if (chunk !== undefined) this.#continueOwed = false;
    return chunk;
  }

  /**
   * Reads content of the request, as soon as there is some; `null` at its end.
   * The first call sends the 100 that the client may wait for.
   *
   * @throws {HttpError} If it is too large, or too slow.
   * @throws Whatever the client was lost by.
   */
  readBody(): Promise<Uint8Array | null> {
    return handled(this.#readBody());
  }

  async #readBody(): Promise<Uint8Array | null> {
    for (;;) {
      const taken = this.takeBody();
      if (taken !== undefined) return taken;
      if (this.bodyComplete) return null;
      if (this.#continueOwed) await this.#sendContinue();
      await this.#stream.arrival(this.#context.options.bodyTimeout);
    }
  }

  async #sendContinue(): Promise<void> {
    this.#continueOwed = false;
    if (!this.committed) await this.#sendInterim(100, []);
  }

  /**
   * Sends an interim response (1xx); early hints (103) only if the option
   * `earlyHints` is on.
   *
   * @throws {RangeError} If the status is no interim one, or 101.
   * @throws {TypeError} If a field can't be sent.
   */
  sendInformational(
    status: number,
    headers: readonly Field[],
  ): Promise<void> {
    return handled(this.#sendInformational(status, headers));
  }

  async #sendInformational(
    status: number,
    headers: readonly Field[],
  ): Promise<void> {
    checkInterimStatus(status);
    if (this.committed || status === 103 && !this.earlyHints) return;
    await this.#sendInterim(status, headers);
  }

  #sendInterim(
    status: number,
    headers: readonly Field[],
  ): Promise<void> | undefined {
    const fields = composeInterim(status, headers);
    this.#progress.advance("informational");
    this.#stream.sendHeaders(fields, false);
    return this.#stream.sent();
  }

  /**
   * Begins the response; it leaves with the first content.
   *
   * @throws {Error} If it has begun.
   * @throws {RangeError} If the status is no final one, the content-length is
   * not one number, or the client accepts no head of this size.
   * @throws {TypeError} If a field can't be sent; nothing was sent then.
   */
  head(status: number, headers: readonly Field[]): void {
    this.#progress.check("head");
    const { options: defaults } = this.#context;
    const { fields, length } = composeResponse({ status, headers, defaults });
    this.#stream.checkSize?.(fields);
    this.#hasContent = hasContent(this.request.method, status);
    this.#progress.begin(this.#hasContent ? length : undefined);
    this.#status = status;
    this.#head = fields;
  }

  /**
   * Sends content, and ends the response if it is the last. What has to wait for
   * the client is copied before this returns, unless the bytes are `stable`: those
   * must not change until the promise resolves.
   *
   * @returns When there is room for more; `undefined` if there is.
   * @throws {Error} If the response has not begun, or is complete.
   * @throws {RangeError} If the content misses its declared length: the stream is
   * cut then.
   */
  data(
    chunk: Uint8Array,
    last: boolean,
    stable = false,
  ): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("Cannot send content: it must be a Uint8Array");
    }
    this.#count(chunk.length, last ? "last data" : "data");
    const content = this.#hasContent ? chunk : EMPTY;
    this.#bytesSent += content.length;
    if (this.#sendHead(last && content.length === 0)) {
      return this.#stream.sent();
    }
    if (content.length === 0 && !last) return undefined;
    return this.#stream.sendData(content, last, stable);
  }

  /** Sends the head, if it was not; whether the response ends with it. */
  #sendHead(isEmpty: boolean): boolean {
    const head = this.#head;
    if (head === undefined) return !this.#hasContent;
    this.#head = undefined;
    const last = isEmpty || !this.#hasContent;
    this.#stream.sendHeaders(head, last);
    return last;
  }

  #count(bytes: number, step: "data" | "last data" | "data before trailers") {
    try {
      this.#progress.content(bytes, step);
    } catch (error) {
      // The client must not take what it has for the whole.
      if (this.#progress.state === "broken") {
        this.#stream.reset("INTERNAL_ERROR");
      }
      throw error;
    }
  }

  /**
   * Ends the response with trailers.
   *
   * @throws As {@linkcode StreamExchange.data} does for the last content.
   */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    this.#progress.check("data before trailers");
    const trailers = composeTrailers(fields);
    this.#count(0, "data before trailers");
    this.#progress.advance("last trailers");
    if (this.#sendHead(false)) return this.#stream.sent();
    return this.#stream.sendTrailers(trailers);
  }

  /**
   * Accepts an extended CONNECT with 200 and `headers` (RFC 8441, section 5;
   * RFC 9220), and
   * hands over the bytes of the stream in both directions, which is closed by its
   * new owner. The handler of this exchange should return.
   *
   * @throws {Error} If a response has begun, or the request asks for no other
   * protocol.
   * @throws {TypeError} If a field can't be sent.
   */
  upgrade(headers: readonly Field[]): Promise<ByteStream> {
    return handled(this.#upgrade(headers));
  }

  async #upgrade(headers: readonly Field[]): Promise<ByteStream> {
    this.#progress.check("upgrade");
    if (this.request.protocol === undefined) {
      throw new Error("Cannot upgrade: the request asks for no other protocol");
    }
    const { options: defaults } = this.#context;
    const { fields } = composeResponse({ status: 200, headers, defaults });
    this.#progress.advance("upgrade");
    this.#status = 200;
    this.#stream.isTunnel = true;
    this.#stream.listener = undefined;
    this.#stream.sendHeaders(fields, false);
    await this.#stream.sent();
    return new StreamTunnel(this.#stream);
  }

  /**
   * Answers with an error; if a response has begun, cuts it instead, so that the
   * client sees that it is cut short. A response that is complete stays so.
   */
  refuse(status: number, headers: readonly Field[] = []): Promise<void> {
    return handled(this.#refuse(status, headers));
  }

  async #refuse(status: number, headers: readonly Field[]): Promise<void> {
    if (this.complete) return;
    this.#refusal = status;
    if (this.committed) return this.abort();
    const page = errorPage(status, headers);
    this.head(status, page.headers);
    await this.data(page.content, true);
  }

  /** Cuts the response short. A response that is complete stays so. */
  abort(): void {
    if (this.complete) return;
    this.#progress.advance("cut");
    this.#stream.reset("INTERNAL_ERROR");
  }
}

/**
 * One request and its response on an HTTP/1 connection: the side of the
 * application.
 *
 * A response that is sent before the request's content has come closes the
 * connection and says so, unless the rest is known to be short enough to be read
 * and dropped (RFC 9112, section 9.6): a proxy would take the connection for
 * idle, and the next request on it would be lost.
 *
 * Nobody need await a call that only the loss of the client, or a mistake of the
 * handler, can reject: `run` of the connection rejects with the loss as well, and
 * a response that is not complete is an error of its own.
 *
 * @module
 */

import type {
  Disconnect,
  DisconnectListener,
  Exchange,
} from "../http/exchange.ts";
import { errorPage } from "../http/error_page.ts";
import type { Field } from "../http/fields.ts";
import { checkInterimStatus } from "../http/response_fields.ts";
import { handled } from "../streams/handled.ts";
import { RequestBody } from "./request_body.ts";
import type { RequestHead } from "./request_head.ts";
import { ResponseWriter } from "./response_writer.ts";
import type { UpgradedStream } from "./upgraded_stream.ts";
import type { Http1Wire } from "./wire.ts";

/** A request, and the means to answer it. */
export class Http1Exchange implements Exchange, DisconnectListener {
  /** The head of the request. */
  readonly request: RequestHead;
  /** Is notified if the client disconnects before the response is complete. */
  disconnectListener: DisconnectListener | undefined;

  readonly #wire: Http1Wire;
  /** Reads the request's content, if it has any. */
  readonly #body: RequestBody | undefined;
  readonly #response: ResponseWriter;
  #continueOwed: boolean;
  #keepAlive: boolean;
  #refusal: number | undefined;

  /** Created by the connection for each request. */
  constructor(request: RequestHead, wire: Http1Wire) {
    this.request = request;
    this.#wire = wire;
    this.#body = request.framing === 0 ? undefined : new RequestBody(
      wire.reader,
      request.framing,
      wire.options,
    );
    this.#response = new ResponseWriter(request, wire);
    this.#continueOwed = request.expectsContinue;
    this.#keepAlive = request.keepAlive;
  }

  /** Whether early hints (103) can be sent to this client. */
  get earlyHints(): boolean {
    return this.#wire.options.earlyHints && this.request.version === "1.1";
  }

  /** Whether all of the request's content was read. */
  get bodyComplete(): boolean {
    return this.#body?.complete ?? true;
  }

  /** Is called by the wire, while the exchange is under way. */
  disconnected(how: Disconnect): void {
    this.disconnectListener?.disconnected(how);
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#wire.disconnect;
  }

  /** Whether the response has begun to leave: it can't be replaced any more. */
  get committed(): boolean {
    return this.#response.state !== "start";
  }

  /** Whether the response has been sent, or aborted. */
  get complete(): boolean {
    return this.#response.over;
  }

  /** The status that was sent, 101 for an upgrade; `null` if none was. */
  get status(): number | null {
    return this.#response.status;
  }

  /** The status that it was to be refused with, if it was. */
  get refusal(): number | undefined {
    return this.#refusal;
  }

  /** Bytes of content that were sent. */
  get bytesSent(): number {
    return this.#response.bytesSent;
  }

  /** Whether the response was cut short, or never begun. */
  get aborted(): boolean {
    return !this.complete || this.#wire.disconnect === "lost";
  }

  /** Whether the connection can serve another request once the body is read. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /**
   * Takes content of the request that has arrived; `undefined` if more bytes
   * are needed, or at its end.
   *
   * @throws {HttpError} If the body is malformed, or too large.
   */
  takeBody(): Uint8Array | undefined {
    const chunk = this.#body?.take();
    // A client whose content has begun to arrive does not wait for the 100.
    if (chunk !== undefined) this.#continueOwed = false;
    // After the end of the content, nobody else reads.
    if (this.bodyComplete) this.#wire.readAhead();
    return chunk;
  }

  /**
   * Reads content of the request, as soon as there is some; `null` at its end.
   * The first call sends the 100 that the client may wait for.
   *
   * @throws {HttpError} If the body is malformed, too large, too slow, or
   * ends too soon.
   */
  readBody(): Promise<Uint8Array | null> {
    return handled(this.#readBody());
  }

  async #readBody(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.takeBody();
      if (chunk !== undefined) return chunk;
      if (this.#body === undefined || this.#body.complete) return null;
      // A body whose stream has ended throws when it is read.
      if (!await this.#fillBody()) return await this.#body.read();
    }
  }

  /** Content may also arrive while the 100 is being sent. */
  #fillBody(): Promise<boolean> {
    return this.#continueOwed
      ? this.#sendContinue()
      : this.#wire.fillBody(this);
  }

  /**
   * Reads and drops what is left of the request's content.
   *
   * @returns Whether its end was reached within `maxBytes`.
   * @throws {HttpError} As {@linkcode Http1Exchange.readBody}.
   */
  drainBody(maxBytes: number): Promise<boolean> {
    return handled(this.#drainBody(maxBytes));
  }

  async #drainBody(maxBytes: number): Promise<boolean> {
    for (let drained = 0; drained <= maxBytes;) {
      const chunk = await this.#body?.read() ?? null;
      if (chunk === null) return true;
      drained += chunk.length;
    }
    return false;
  }

  /**
   * Sends an interim response (1xx). None is sent to HTTP/1.0, which knows none,
   * and no early hints (103) unless the option `earlyHints` is on.
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
    if (this.committed || this.request.version === "1.0") return;
    if (status === 103 && !this.earlyHints) return;
    await this.#response.informational(status, headers);
  }

  /**
   * Begins the response; it leaves with the first data.
   *
   * @throws {Error} If it has begun.
   * @throws {RangeError} If the status is no final one, or the content-length
   * is not one number.
   * @throws {TypeError} If a field can't be sent; nothing was sent then.
   */
  head(status: number, headers: readonly Field[]): void {
    const keepAlive = this.#keepAlive && !this.#wire.progress.closing &&
      this.#isDrainable;
    this.#keepAlive = this.#response.head(status, headers, keepAlive);
  }

  /** Whether what is left of the content will come, and is short. */
  get #isDrainable(): boolean {
    const body = this.#body;
    if (body === undefined || body.complete) return true;
    return !this.#continueOwed && body.left <= this.#wire.options.drainBytes;
  }

  /**
   * Sends content, and ends the response if it is the last. The bytes are
   * copied before this returns.
   *
   * @returns When they were accepted for writing.
   * @throws {Error} If the response has not begun, or is complete.
   * @throws {RangeError} If the content misses its declared length: the
   * connection is closed then.
   */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return handled(this.#response.data(chunk, last));
  }

  /**
   * Ends the response with trailers, which only a chunked one can carry.
   *
   * @throws As {@linkcode Http1Exchange.data} does for the last content.
   */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    return handled(this.#response.trailers(fields));
  }

  /**
   * Leaves HTTP: answers 101 with `headers`, which must name the protocol in
   * Upgrade, and hands the connection over, which is closed by its new owner.
   * The handler of this exchange should return.
   *
   * @throws {Error} If a response has begun, content of the request is unread,
   * or the request asks for no other protocol.
   * @throws {TypeError} If Upgrade is missing, or a field can't be sent.
   */
  upgrade(headers: readonly Field[]): Promise<UpgradedStream> {
    return handled(this.#upgrade(headers));
  }

  async #upgrade(headers: readonly Field[]): Promise<UpgradedStream> {
    this.#response.check("upgrade");
    if (!this.bodyComplete) {
      throw new Error("Cannot upgrade: the request's content was not read");
    }
    if (this.request.protocol === undefined) {
      throw new Error("Cannot upgrade: the request asks for no other protocol");
    }
    if (!headers.some(([name]) => name.toLowerCase() === "upgrade")) {
      throw new TypeError('Cannot upgrade: headers must contain "upgrade"');
    }
    const upgraded = this.#response.upgrade([
      ["connection", "upgrade"],
      ...headers,
    ]);
    this.#keepAlive = false;
    await upgraded;
    return this.#wire.upgrade();
  }

  /**
   * Answers with an error and closes the connection; if a response has begun,
   * aborts it instead, so that the client sees that it is cut short. A response
   * that is complete stays so.
   */
  refuse(status: number, headers: readonly Field[] = []): Promise<void> {
    return handled(this.#refuse(status, headers));
  }

  async #refuse(status: number, headers: readonly Field[]): Promise<void> {
    if (this.complete) return;
    this.#refusal = status;
    if (this.committed) return this.abort();
    this.#keepAlive = false;
    const page = errorPage(status, headers);
    this.head(status, page.headers);
    await this.data(page.content, true);
  }

  /**
   * Cuts the response short, which closes the connection: there is no other way
   * to say so. A response that is complete stays so.
   */
  abort(): void {
    if (this.complete) return;
    this.#keepAlive = false;
    this.#response.advance("cut");
    this.#wire.abort();
  }

  async #sendContinue(): Promise<true> {
    this.#continueOwed = false;
    await this.sendInformational(100, []);
    return true;
  }
}

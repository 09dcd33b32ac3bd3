/**
 * One request and its response on an HTTP/1 connection: the side of the
 * application.
 *
 * A response that is sent before the request's content has come closes the
 * connection and says so, unless the rest is known to be short enough to be read
 * and dropped (RFC 9112, section 9.6): a proxy would take the connection for
 * idle, and the next request on it would be lost.
 *
 * @module
 */

import type { Field } from "../fields.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import type { RequestLimits } from "./limits.ts";
import type { Output } from "./output.ts";
import { RequestBody } from "./request_body.ts";
import type { RequestHead } from "./request_head.ts";
import {
  composeHead,
  type ResponseDefaults,
  type ResponseFraming,
} from "./response_head.ts";
import { reasonPhrase, statusLine } from "./status.ts";
import type { UpgradedStream } from "./upgraded_stream.ts";

/** Fields that must not stand in trailers (RFC 9110, section 6.5.1). */
const FRAMING_FIELDS = new Set(["content-length", "transfer-encoding"]);

/** The limits of requests, and the defaults of responses. */
export interface ExchangeOptions extends RequestLimits, ResponseDefaults {
  /** Whether early hints (103) may be sent. */
  readonly earlyHints: boolean;
  /** How many bytes of an unread body are read to keep the connection. */
  readonly drainBytes: number;
}

/** What an exchange needs of its connection. */
export interface ExchangeContext {
  readonly reader: ByteReader;
  readonly output: Output;
  readonly options: ExchangeOptions;
  /** Whether the connection is to close after this exchange. */
  readonly closing: boolean;
  /** How the client left, if it did. */
  readonly departure: Departure | undefined;
  /** Waits for more of the request's body to arrive; `false` at the end. */
  fillBody(exchange: Http1Exchange): Promise<boolean>;
  /** Keeps a read pending, within bounds. */
  readAhead(): void;
  /** Sends what is in `output`, now or with the next response of a burst. */
  flush(last: boolean): Promise<void> | undefined;
  /** Hands the connection over to another protocol. */
  upgrade(): UpgradedStream;
  /** Closes the connection at once. */
  abort(): void;
}

/** How the client left: it said that it sends no more, or it cannot be reached. */
export type Departure = "half-closed" | "lost";

/** Told when a client leaves. */
export interface DepartureWatcher {
  /** Called once, or twice if the client is lost after a half close. */
  departed(how: Departure): void;
}

/** A request, and the means to answer it. */
export class Http1Exchange {
  /** The head of the request. */
  readonly request: RequestHead;
  /** Told when the client leaves before the response is complete. */
  watcher: DepartureWatcher | undefined;

  readonly #context: ExchangeContext;
  /** Reads the request's content, if it has any. */
  readonly #body: RequestBody | undefined;
  #continueOwed: boolean;
  #framing: ResponseFraming | undefined;
  #keepAlive: boolean;
  #status: number | null = null;
  #bytesSent = 0;
  #refusal: number | undefined;
  #complete = false;

  /** Created by the connection for each request. */
  constructor(request: RequestHead, context: ExchangeContext) {
    this.request = request;
    this.#context = context;
    this.#body = request.framing === 0 ? undefined : new RequestBody(
      context.reader,
      request.framing,
      context.options,
    );
    this.#continueOwed = request.expectsContinue;
    this.#keepAlive = request.keepAlive;
  }

  /** Whether early hints (103) can be sent to this client. */
  get earlyHints(): boolean {
    return this.#context.options.earlyHints && this.request.version === "1.1";
  }

  /** Whether all of the request's content was read. */
  get bodyComplete(): boolean {
    return this.#body?.complete ?? true;
  }

  /** How the client left, if it did. */
  get departure(): Departure | undefined {
    return this.#context.departure;
  }

  /** Whether the response has begun to leave: it can't be replaced any more. */
  get committed(): boolean {
    return this.#framing !== undefined;
  }

  /** Whether the response has been sent, or aborted. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The status that was sent, 101 for an upgrade; `null` if none was. */
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
    return !this.#complete || this.#context.departure === "lost";
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
    if (this.bodyComplete) this.#context.readAhead();
    return chunk;
  }

  /**
   * Reads content of the request, as soon as there is some; `null` at its end.
   * The first call sends the 100 that the client may wait for.
   *
   * @throws {HttpError} If the body is malformed, too large, too slow, or
   * ends too soon.
   */
  async readBody(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.takeBody();
      if (chunk !== undefined) return chunk;
      if (this.#body === undefined || this.#body.complete) return null;
      // Content may arrive while the 100 is being sent: it is looked for again.
      if (this.#continueOwed) await this.#sendContinue();
      else if (!await this.#context.fillBody(this)) {
        return await this.#body.read();
      }
    }
  }

  /**
   * Reads and drops what is left of the request's content.
   *
   * @returns Whether its end was reached within `maxBytes`.
   * @throws {HttpError} As {@linkcode Http1Exchange.readBody}.
   */
  async drainBody(maxBytes: number): Promise<boolean> {
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
   */
  async inform(status: number, headers: readonly Field[]): Promise<void> {
    if (this.committed || this.request.version === "1.0") return;
    if (status === 103 && !this.earlyHints) return;
    await this.#interim(status, headers);
  }

  async #interim(status: number, headers: readonly Field[]): Promise<void> {
    const { output } = this.#context;
    output.text(statusLine(status));
    for (const [name, value] of headers) output.text(`${name}: ${value}\r\n`);
    output.text("\r\n");
    await this.#context.flush(false);
  }

  /** Begins the response; it leaves with the first data. */
  head(status: number, headers: readonly Field[]): void {
    const { closing, options, output } = this.#context;
    const { text, framing, keepAlive } = composeHead(this.request, {
      status,
      headers,
      keepAlive: this.#keepAlive && !closing && this.#isDrainable,
      defaults: options,
    });
    this.#status = status;
    this.#framing = framing;
    this.#keepAlive = keepAlive;
    output.text(text);
  }

  /** Whether what is left of the content will come, and is short. */
  get #isDrainable(): boolean {
    const body = this.#body;
    if (body === undefined || body.complete) return true;
    return !this.#continueOwed && body.left <= this.#context.options.drainBytes;
  }

  /**
   * Sends content, and ends the response if it is the last. The bytes are
   * copied before this returns.
   *
   * @returns When they were accepted for writing.
   */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    const { output } = this.#context;
    if (this.#framing === "chunked") {
      if (chunk.length > 0) {
        output.text(`${chunk.length.toString(16)}\r\n`);
        output.bytes(chunk);
        output.text(last ? "\r\n0\r\n\r\n" : "\r\n");
      } else if (last) {
        output.text("0\r\n\r\n");
      }
    } else if (this.#framing !== "none") {
      output.bytes(chunk);
    }
    if (this.#framing !== "none") this.#bytesSent += chunk.length;
    this.#complete = last;
    return this.#context.flush(last);
  }

  /** Ends the response with trailers, which only a chunked one can carry. */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    if (this.#framing === "chunked") {
      const { output } = this.#context;
      output.text("0\r\n");
      if (this.request.acceptsTrailers) {
        for (const [name, value] of fields) {
          if (FRAMING_FIELDS.has(name)) continue;
          output.text(`${name}: ${value}\r\n`);
        }
      }
      output.text("\r\n");
    }
    this.#complete = true;
    return this.#context.flush(true);
  }

  /**
   * Leaves HTTP: answers 101 with `headers`, and hands the connection over,
   * which is closed by whoever has it now. The handler of this exchange should
   * return.
   */
  async upgrade(headers: readonly Field[]): Promise<UpgradedStream> {
    this.#framing = "none";
    this.#keepAlive = false;
    this.#status = 101;
    await this.#interim(101, [["connection", "upgrade"], ...headers]);
    // The new protocol writes by itself.
    await this.#context.output.flush();
    this.#complete = true;
    return this.#context.upgrade();
  }

  /**
   * Answers with an error and closes the connection; if a response has begun,
   * aborts it instead, so that the client sees that it is cut short.
   */
  async refuse(
    status: number,
    headers: readonly Field[] = [],
  ): Promise<void> {
    this.#refusal = status;
    if (this.committed) return this.abort();
    this.#keepAlive = false;
    const page = errorPage(status);
    this.head(status, [
      ...headers,
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(page.length)],
    ]);
    await this.data(page, true);
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#keepAlive = false;
    this.#complete = true;
    this.#context.abort();
  }

  async #sendContinue(): Promise<void> {
    this.#continueOwed = false;
    await this.inform(100, []);
  }
}

const encoder = new TextEncoder();

/** The content of an error response: it echoes nothing of the request. */
function errorPage(status: number): Uint8Array {
  return encoder.encode(`${reasonPhrase(status) || "Error"}\n`);
}

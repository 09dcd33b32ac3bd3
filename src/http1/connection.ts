/**
 * Serves the requests of one HTTP/1 connection, one after the other. What may
 * come when is in `connection_state.ts`; here is what is done about it.
 *
 * A protocol error gets one error response after those that are owed, then
 * the connection is closed, and what is buffered is never parsed again.
 *
 * @module
 */

import { checkFields } from "../http/fields.ts";
import { HttpError } from "../http/http_error.ts";
import { linger } from "../http/linger.ts";
import { comparePreface, PREFACE_BYTES } from "../http/preface.ts";
import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import type { Transport } from "../http/transport.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { giveWayAt } from "../streams/fair_share.ts";
import {
  type ConnectionEvent,
  ConnectionProgress,
} from "./connection_state.ts";
import { Http1Exchange } from "./exchange.ts";
import { DEFAULT_HTTP1_OPTIONS, type Http1Options } from "./options.ts";
import { type RequestHead, RequestHeadParser } from "./request_head.ts";
import { composeRefusal } from "./response_head.ts";
import type { UpgradedStream } from "./upgraded_stream.ts";
import { Http1Wire } from "./wire.ts";

/** Answers a request; resolves when its response is complete or aborted. */
export type ExchangeHandler = (exchange: Http1Exchange) => Promise<void>;

/**
 * Makes the connection of HTTP/2 that serves what `reader` reads, on the same
 * transport. It may use both once it is run.
 */
export type PrefaceHandler = (
  reader: ByteReader,
) => ServedConnection | Promise<ServedConnection>;

/** At a shutdown, the next request of a connection may be on its way. */
const REQUEST_GRACE_MS = 300;
/** So much content leaves with its head before a client acknowledges any. */
const FIRST_FLIGHT_BYTES = 8 * 1024;

/** An HTTP/1 connection. */
export class Http1Connection implements ServedConnection {
  /** Called when the connection is idle after a request. */
  onIdle: (() => void) | undefined;
  /** Called when bytes that are no request were answered with an error. */
  onRefused: ((refused: RefusedBytes) => void) | undefined;

  /**
   * Called when the client begins with the preface of HTTP/2, which is left
   * unread. Without it, the preface is a bad request; after other bytes, too.
   */
  onPreface: PrefaceHandler | undefined;

  readonly #transport: Transport;
  readonly #handle: ExchangeHandler;
  readonly #options: Http1Options;
  readonly #progress: ConnectionProgress;
  readonly #wire: Http1Wire;
  readonly #parser: RequestHeadParser;

  /**
   * Serves `transport`; `handle` is called for one request at a time. `reader`
   * may have been used before, to find out which protocol the client speaks.
   *
   * @throws {TypeError} If the option `serverHeader` can't be sent.
   */
  constructor(
    transport: Transport,
    handle: ExchangeHandler,
    options: Http1Options = DEFAULT_HTTP1_OPTIONS,
    reader: ByteReader = new ByteReader(transport.readable),
  ) {
    if (options.serverHeader !== null) {
      checkFields([["server", options.serverHeader]]);
    }
    this.#transport = transport;
    this.#handle = handle;
    this.#options = options;
    this.#progress = new ConnectionProgress(options.maxRequestsPerConnection);
    const progress = this.#progress;
    this.#wire = new Http1Wire(transport, reader, { options, progress });
    this.#parser = new RequestHeadParser(reader, options);
  }

  /** Whether no request has begun to arrive since the last was answered. */
  get idle(): boolean {
    const { state } = this.#progress;
    return (state === "idle" || state === "fresh") &&
      this.#wire.reader.buffered === 0;
  }

  /**
   * Whether it is idle after a request whose response was written. A client
   * expects that such a connection may be closed; on a fresh one, its first
   * request would be lost.
   */
  get evictable(): boolean {
    return this.idle && this.#progress.state === "idle" &&
      this.#wire.output.idle;
  }

  /**
   * Since when the client has kept it waiting, by the clock of `performance`:
   * for its first request, for the rest of a head, for the rest of content that
   * nobody wants, or for its end. `undefined` while it is idle after a response,
   * and while a request is being handled.
   */
  get waitingSince(): number | undefined {
    return this.#progress.waitingSince;
  }

  /** Whether the connection closes after the current exchange. */
  get closing(): boolean {
    return this.#progress.closing;
  }

  /**
   * Whether the connection was handed over to another protocol, which closes
   * it: `run` has resolved or will at once.
   */
  get upgraded(): boolean {
    return this.#progress.state === "upgraded";
  }

  /**
   * Serves requests until the connection is closed, or upgraded.
   *
   * @returns What has taken it over, if something has; a `ServedConnection` is
   * to be run.
   * @throws Whatever the transport was lost by.
   */
  async run(): Promise<UpgradedStream | ServedConnection | undefined> {
    try {
      this.#armDeadline();
      if (this.onPreface !== undefined) {
        const successor = await this.#recognizePreface(this.onPreface);
        if (successor !== undefined) return successor;
      }
      for (;;) {
        const head = this.#parser.take();
        if (head === undefined) {
          // An idle connection waits here, and holds no other frame than this.
          if (await this.#fillHead()) continue;
          this.#parser.end();
          await this.#wire.output.flush();
          break;
        }
        const exchange = this.#begin(head);
        await this.#handle(exchange);
        const event = this.#outcome(exchange);
        if (event === undefined) break;
        // Until its response was written, the client keeps nobody waiting.
        if (event !== "answered") await this.#wire.output.flush();
        this.#go(event);
        if (event !== "answered" && !await this.#finish(exchange)) break;
        // More of a burst may be there, and be answered without a wait.
        const share = giveWayAt(this.#progress.requests);
        if (share !== undefined) await share;
      }
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#end();
    }
    return this.#wire.upgraded;
  }

  /**
   * Closes the connection after a response that says so. If it is idle, the
   * next request may be on its way, and is waited for shortly.
   */
  shutdown(): void {
    this.#progress.ending = true;
    if (this.idle) this.#armDeadline();
  }

  /**
   * Closes the connection, unless a request is being handled. What has arrived
   * of the next one is dropped, and not answered.
   */
  evict(): void {
    if (this.idle) {
      this.#progress.ending = true;
      this.#transport.endRead();
    } else if (this.waitingSince !== undefined) this.abort();
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#wire.abort();
  }

  /** Waits until the first bytes are the preface of HTTP/2, or differ from it. */
  async #recognizePreface(
    createSuccessor: PrefaceHandler,
  ): Promise<ServedConnection | undefined> {
    const { reader } = this.#wire;
    for (;;) {
      const matched = comparePreface(reader.peek(), 0, 0);
      if (matched === PREFACE_BYTES) {
        const successor = await createSuccessor(reader);
        this.#go("preface");
        return successor;
      }
      if (matched === undefined || !await this.#fillHead()) return undefined;
    }
  }

  /** Waits for more bytes of a head, after all that is owed was sent. */
  #fillHead(): Promise<boolean> {
    this.#wire.output.send();
    if (this.#wire.reader.buffered > 0) this.#go("bytes");
    return this.#wire.reader.fill();
  }

  #begin(head: RequestHead): Http1Exchange {
    this.#go("request");
    const exchange = new Http1Exchange(head, this.#wire);
    this.#wire.begin(exchange, !head.keepAlive);
    return exchange;
  }

  /** What comes after an exchange whose handler has returned, if anything does. */
  #outcome(exchange: Http1Exchange): ConnectionEvent | undefined {
    const lost = this.#wire.disconnect === "lost";
    if (!exchange.complete && !lost) {
      throw new HttpError(500, "Cannot serve on: the response is not complete");
    }
    this.#wire.exchange = undefined;
    if (lost) return this.#leave();
    // A client that has half-closed is still owed what it asked for before.
    // One that was promised to stay open may have been sent the next request,
    // even if a shutdown has begun since.
    if (!exchange.keepAlive) return this.upgraded ? undefined : "last";
    return exchange.bodyComplete ? "answered" : "unread";
  }

  /** The client is lost: by a failed write, by a reset, or by an abort. */
  #leave(): undefined {
    const { writeFailure } = this.#wire;
    if (writeFailure !== undefined) throw writeFailure.error;
  }

  /** Ends an exchange after which something is to be read, or all is over. */
  async #finish(exchange: Http1Exchange): Promise<boolean> {
    if (this.#progress.state === "draining") {
      const drained = await this.#drain(exchange);
      this.#go(drained ? "drained" : "last");
      if (drained) return true;
    }
    if (!this.#closesCleanly(exchange)) await this.#linger();
    return false;
  }

  /**
   * Whether a close can lose nothing: the client has said that this request is
   * its last, so that nothing more comes (RFC 9112, section 9.6). If something
   * does come, the reset drops what has not left yet: of a short response, if it
   * is the only one, that is nothing. After content, old clients send a CRLF more
   * (section 2.2).
   */
  #closesCleanly({ request, bytesSent }: Http1Exchange): boolean {
    return !request.keepAlive && request.framing === 0 &&
      bytesSent <= FIRST_FLIGHT_BYTES && this.#progress.requests === 1 &&
      this.#wire.reader.buffered === 0 &&
      this.#transport.closesCleanly === true;
  }

  /** Reads what is left of a body, within bounds; whether its end was reached. */
  async #drain(exchange: Http1Exchange): Promise<boolean> {
    try {
      return await exchange.drainBody(this.#options.drainBytes);
    } catch (error) {
      if (error instanceof HttpError) return false; // It has had its response.
      throw error;
    }
  }

  /** A protocol error is answered; for any other there is no answer. */
  async #failed(error: unknown): Promise<void> {
    this.#wire.upgraded?.abort();
    if (this.upgraded || !(error instanceof HttpError)) {
      throw this.#wire.writeFailure?.error ?? error;
    }
    await this.#refuse(error.status);
  }

  /** Answers bytes that are no request, or no content of one; then closes. */
  async #refuse(status: number): Promise<void> {
    const { exchange } = this.#wire;
    this.#go("fault");
    try {
      if (exchange === undefined) this.#answerBytes(status);
      // A handler that lets a fault of the body escape may have answered.
      else await exchange.refuse(status);
      await this.#wire.output.flush();
      this.#go("refused");
      await this.#linger();
    } catch {
      // The client is lost.
    }
  }

  #answerBytes(status: number): void {
    const { output, disconnect } = this.#wire;
    const { head, content } = composeRefusal(status, this.#options);
    output.text(head);
    output.bytes(content);
    this.onRefused?.({
      status,
      refusal: status,
      bytesSent: content.length,
      aborted: disconnect === "lost",
    });
  }

  /** Closes the connection so that the client can read what was sent. */
  async #linger(): Promise<void> {
    const { reader } = this.#wire;
    try {
      await linger(this.#transport, reader, this.#options.drainTimeout);
    } catch (error) {
      // The deadline of a body has passed, which has had its response.
      if (!(error instanceof HttpError)) throw error;
    }
  }

  /** Lets go of everything, unless another protocol needs it. */
  #end(): void {
    this.#wire.end();
    if (this.upgraded) return;
    this.#go("close");
    // It may have been armed after the connection was closed from below.
    this.#transport.readDeadline.disarm();
    this.#transport.close();
  }

  /** Goes on to the state that an event leads to, with its deadline. */
  #go(event: ConnectionEvent): void {
    if (!this.#progress.advance(event)) return;
    this.#armDeadline();
    if (this.#progress.state === "idle") this.onIdle?.();
  }

  /** Each state has one deadline, which later bytes do not prolong. */
  #armDeadline(): void {
    const { state, ending } = this.#progress;
    const { headerTimeout, keepAliveTimeout, drainTimeout } = this.#options;
    const { readDeadline } = this.#transport;
    const grace = ending ? REQUEST_GRACE_MS : Infinity;
    switch (state) {
      case "fresh":
        return readDeadline.arm(Math.min(grace, headerTimeout), this.#expired);
      case "first head":
        // That of the fresh connection goes on, unless it was cut down.
        if (ending) readDeadline.arm(headerTimeout, this.#expired);
        return;
      case "idle":
        return readDeadline.arm(
          Math.min(grace, keepAliveTimeout),
          this.#expired,
        );
      case "next head":
        return readDeadline.arm(headerTimeout, this.#expired);
      case "draining":
        return readDeadline.arm(drainTimeout, this.#expired);
      case "lingering":
        return; // Its own is armed once nothing more is written.
      default:
        readDeadline.disarm();
    }
  }

  /**
   * A client that has begun a head gets a 408. One that has sent nothing does
   * not: a browser may have opened the connection for a later request, and would
   * take that for its answer.
   */
  readonly #expired = (): void => {
    const { state } = this.#progress;
    const late = state === "first head" || state === "next head";
    this.#transport.endRead(
      late ? new HttpError(408, "Cannot wait for request head") : undefined,
    );
  };
}

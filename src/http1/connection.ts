/**
 * Serves the requests of one HTTP/1 connection, one after the other.
 *
 * A protocol error gets one error response after those that are owed, then
 * the connection is closed, and what is buffered is never parsed again.
 *
 * @module
 */

import { giveWayAt } from "../streams/fair_share.ts";
import { checkFields } from "../http/fields.ts";
import { Http1Exchange } from "./exchange.ts";
import { HttpError } from "../http/http_error.ts";
import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import { linger } from "../http/linger.ts";
import { ConnectionState } from "./connection_state.ts";
import { type RequestHead, RequestHeadParser } from "./request_head.ts";
import { DEFAULT_HTTP1_OPTIONS, type Http1Options } from "./options.ts";
import type { Transport } from "../http/transport.ts";

/** Answers a request; resolves when its response is complete or aborted. */
export type ExchangeHandler = (exchange: Http1Exchange) => Promise<void>;

/** What a connection without a request waits for: each has its own deadline. */
type AwaitedHead = "first head" | "head" | "rest of head";

/** At a shutdown, the next request of a connection may be on its way. */
const REQUEST_GRACE_MS = 300;

/** An HTTP/1 connection. */
export class Http1Connection implements ServedConnection {
  /** Called when the connection is idle after a request. */
  onIdle: (() => void) | undefined;
  /** Called when bytes that are no request were answered with an error. */
  onRefused: ((refused: RefusedBytes) => void) | undefined;

  readonly #transport: Transport;
  readonly #state: ConnectionState;
  readonly #handle: ExchangeHandler;
  readonly #parser: RequestHeadParser;
  #awaited: AwaitedHead | undefined;
  #idle = true;
  #waitingSince: number | undefined = performance.now();

  /**
   * Serves `transport`; `handle` is called for one request at a time.
   *
   * @throws {TypeError} If the option `serverHeader` can't be sent.
   */
  constructor(
    transport: Transport,
    handle: ExchangeHandler,
    options: Http1Options = DEFAULT_HTTP1_OPTIONS,
  ) {
    if (options.serverHeader !== null) {
      checkFields([["server", options.serverHeader]]);
    }
    this.#transport = transport;
    this.#state = new ConnectionState(transport, options);
    this.#handle = handle;
    this.#parser = new RequestHeadParser(this.#state.reader, options);
  }

  /** Whether no request has begun to arrive since the last was answered. */
  get idle(): boolean {
    return this.#idle && this.#state.reader.buffered === 0;
  }

  /**
   * Whether it is idle after a request whose response was written. A client
   * expects that such a connection may be closed; on a fresh one, its first
   * request would be lost.
   */
  get evictable(): boolean {
    const { requests, output } = this.#state;
    return this.idle && requests > 0 && output.idle;
  }

  /**
   * Since when the client has kept it waiting, by the clock of `performance`:
   * for its first request, for the rest of a head, for the rest of content that
   * nobody wants, or for its end. `undefined` while it is idle after a response,
   * and while a request is being handled.
   */
  get waitingSince(): number | undefined {
    return this.#waitingSince;
  }

  /** Whether the connection closes after the current exchange. */
  get closing(): boolean {
    return this.#state.closing;
  }

  /**
   * Whether the connection was handed over to another protocol, which closes
   * it: `run` has resolved or will at once.
   */
  get upgraded(): boolean {
    return this.#state.upgraded;
  }

  /**
   * Serves requests until the connection is closed, or upgraded.
   *
   * @throws Whatever the transport was lost by.
   */
  async run(): Promise<void> {
    try {
      // An idle connection waits here, and holds no other frame than this.
      for (;;) {
        const head = this.#parser.take();
        if (head === undefined) {
          this.#state.output.send();
          if (await this.#fillHead()) continue;
          if (this.#state.reader.buffered === 0) {
            return await this.#state.output.flush();
          }
          throw new HttpError(400, "Cannot read request head: it is cut short");
        }
        const exchange = this.#begin(head);
        await this.#handle(exchange);
        if (!(this.#isReusable(exchange) ?? await this.#end(exchange))) return;
        // More of a burst may be there, and be answered without a wait.
        const share = giveWayAt(this.#state.requests);
        if (share !== undefined) await share;
      }
    } catch (error) {
      if (!(error instanceof HttpError)) {
        throw this.#state.writeFailure?.error ?? error;
      }
      await this.#refuse(error.status);
    } finally {
      this.#state.end();
    }
  }

  /**
   * Closes the connection after a response that says so. If it is idle, the
   * next request may be on its way, and is waited for shortly.
   */
  shutdown(): void {
    this.#state.ending = true;
    if (this.idle) this.#armFirst();
  }

  /**
   * Closes the connection, unless a request is being handled. What has arrived
   * of the next one is dropped, and not answered.
   */
  evict(): void {
    if (this.idle) {
      this.#state.ending = true;
      this.#transport.endRead();
    } else if (this.#waitingSince !== undefined) this.abort();
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#state.abort();
  }

  #begin(head: RequestHead): Http1Exchange {
    this.#transport.readDeadline.disarm();
    this.#awaited = undefined;
    this.#idle = false;
    this.#waitingSince = undefined;
    const state = this.#state;
    state.requests++;
    state.exchange = new Http1Exchange(head, state);
    state.readAhead();
    return state.exchange;
  }

  /** Whether another request may follow; `undefined` if that takes a while. */
  #isReusable(exchange: Http1Exchange): boolean | undefined {
    const state = this.#state;
    if (!exchange.complete && state.disconnect !== "lost") {
      throw new HttpError(500, "Cannot serve on: the response is not complete");
    }
    state.exchange = undefined;
    if (state.upgraded) return false;
    this.#transport.readDeadline.disarm();
    if (state.writeFailure !== undefined) throw state.writeFailure.error;
    if (state.disconnect === "lost") return false;
    // A client that has half-closed is still owed what it asked for before.
    // One that was promised to stay open may have been sent the next request,
    // even if a shutdown has begun since.
    if (!exchange.keepAlive || !exchange.bodyComplete) return undefined;
    this.#idle = true;
    this.onIdle?.();
    return true;
  }

  /** Ends an exchange after which something is to be read or written. */
  async #end(exchange: Http1Exchange): Promise<boolean> {
    if (exchange.keepAlive && await this.#drain(exchange)) {
      this.#idle = true;
      this.onIdle?.();
      return true;
    }
    await this.#state.output.flush();
    await this.#linger();
    return false;
  }

  /** Waits for bytes of a head; each of its parts has one deadline. */
  #fillHead(): Promise<boolean> {
    const awaited = this.#state.requests === 0
      ? "first head"
      : this.idle
      ? "head"
      : "rest of head";
    if (awaited !== this.#awaited) this.#armHead(awaited);
    this.#awaited = awaited;
    return this.#state.reader.fill();
  }

  #armHead(awaited: AwaitedHead): void {
    const { readDeadline } = this.#transport;
    const { headerTimeout, keepAliveTimeout } = this.#state.options;
    if (awaited === "first head") this.#armFirst();
    else if (awaited === "rest of head") {
      this.#waitingSince = performance.now();
      readDeadline.arm(headerTimeout, () => this.#headExpired());
    } else {
      this.#waitingSince = undefined;
      const ms = this.#state.ending ? REQUEST_GRACE_MS : keepAliveTimeout;
      readDeadline.arm(
        Math.min(ms, keepAliveTimeout),
        () => this.#transport.endRead(),
      );
    }
  }

  /** Bounds the wait for the first request. */
  #armFirst(): void {
    const { headerTimeout } = this.#state.options;
    const ms = this.#state.ending ? REQUEST_GRACE_MS : headerTimeout;
    this.#transport.readDeadline.arm(
      Math.min(ms, headerTimeout),
      () => this.#firstExpired(),
    );
  }

  /** Reads what is left of a body, within bounds; whether its end was reached. */
  async #drain(exchange: Http1Exchange): Promise<boolean> {
    await this.#state.output.flush();
    const { drainBytes, drainTimeout } = this.#state.options;
    const { readDeadline } = this.#transport;
    this.#waitingSince = performance.now();
    readDeadline.arm(drainTimeout, () => this.#transport.endRead());
    try {
      return await exchange.drainBody(drainBytes);
    } catch (error) {
      if (error instanceof HttpError) return false; // It has had its response.
      throw error;
    } finally {
      readDeadline.disarm();
    }
  }

  /** Answers bytes that are no request, or no content of one; then closes. */
  async #refuse(status: number): Promise<void> {
    this.#idle = false;
    try {
      // A handler that lets a fault of the body escape may have answered.
      const exchange = this.#state.exchange ??
        new Http1Exchange(UNREADABLE, this.#state);
      if (!exchange.complete) await exchange.refuse(status);
      if (this.#state.exchange === undefined) this.onRefused?.(exchange);
      await this.#state.output.flush();
      await this.#linger();
    } catch {
      // The client is lost.
    }
  }

  /** Closes the connection so that the client can read what was sent. */
  async #linger(): Promise<void> {
    this.#waitingSince = performance.now();
    try {
      await linger(
        this.#transport,
        this.#state.reader,
        this.#state.options.drainTimeout,
      );
    } catch (error) {
      // The deadline of a body has passed, which has had its response.
      if (!(error instanceof HttpError)) throw error;
    }
  }

  /**
   * A connection that has sent nothing is closed without a 408: a browser may
   * have opened it for a later request, and would take that for its answer.
   */
  #firstExpired(): void {
    const { readDeadline } = this.#transport;
    const { headerTimeout } = this.#state.options;
    if (this.idle) this.#transport.endRead();
    else if (!this.#state.ending) this.#headExpired();
    else readDeadline.arm(headerTimeout, () => this.#headExpired());
  }

  #headExpired(): void {
    this.#transport.endRead(new HttpError(408, "Cannot wait for request head"));
  }
}

/** Stands in for a request that could not be read. */
const UNREADABLE: RequestHead = {
  method: "",
  target: { path: "", query: "" },
  version: "1.1",
  headers: [],
  framing: 0,
  keepAlive: false,
  expectsContinue: false,
  acceptsTrailers: false,
  protocol: undefined,
};

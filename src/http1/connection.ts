/**
 * Serves the requests of one HTTP/1 connection, one after the other.
 *
 * While a request is handled, one read ahead is pending (up to 64 KiB are
 * buffered so): it notices that the client leaves, and it is the first read of
 * the next request. Responses to a burst of pipelined requests leave together.
 *
 * A protocol error gets one error response behind those that are owed, then
 * the connection is closed, and what is buffered is never parsed again.
 *
 * @module
 */

import { ByteReader } from "../streams/byte_reader.ts";
import {
  type Departure,
  type ExchangeContext,
  Http1Exchange,
  type UpgradedStream,
} from "./exchange.ts";
import { HttpError } from "./http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "./limits.ts";
import { Output } from "./output.ts";
import { type RequestHead, RequestHeadParser } from "./request_head.ts";
import type { Transport } from "./transport.ts";

/** Limits, deadlines (in milliseconds; `Infinity` for none), and looks. */
export interface Http1Options extends RequestLimits {
  /** From accept, or from a later request's first byte, to the head's end. */
  readonly headerTimeout: number;
  /** How long a connection may be idle between two requests. */
  readonly keepAliveTimeout: number;
  /** How long the application may wait for a byte of the body. */
  readonly bodyTimeout: number;
  /** How many bytes of an unread body are read to save the connection. */
  readonly drainBytes: number;
  /** How long the client may take to send them, or to close. */
  readonly drainTimeout: number;
  /** After how many requests the connection is closed. */
  readonly maxRequestsPerConnection: number;
  /** Whether responses say the date. */
  readonly dateHeader: boolean;
  /** The value of the Server field; `null` for none. */
  readonly serverHeader: string | null;
}

/** The options that hold unless others are given. */
export const DEFAULT_HTTP1_OPTIONS: Http1Options = {
  ...DEFAULT_LIMITS,
  headerTimeout: 30_000,
  keepAliveTimeout: 75_000,
  bodyTimeout: 60_000,
  drainBytes: 64 * 1024,
  drainTimeout: 5_000,
  maxRequestsPerConnection: Infinity,
  dateHeader: true,
  serverHeader: "x-asgi",
};

/** Answers a request; resolves when its response is complete or aborted. */
export type ExchangeHandler = (exchange: Http1Exchange) => Promise<void>;

const READ_AHEAD_BYTES = 64 * 1024;
/** A burst's responses are held back up to this size. */
const MAX_HELD_BYTES = 32 * 1024;

/** An HTTP/1 connection. */
export class Http1Connection {
  /** Called when the connection is idle behind a request. */
  onIdle: (() => void) | undefined;

  /** What the client sent and nobody took yet; what is to be sent to it. */
  readonly #reader: ByteReader;
  readonly #output: Output;
  readonly #context: ExchangeContext;

  readonly #transport: Transport;
  readonly #options: Http1Options;
  readonly #handle: ExchangeHandler;
  readonly #parser: RequestHeadParser;
  #exchange: Http1Exchange | undefined;
  #requests = 0;
  #idle = true;
  #closing = false;
  #departure: Departure | undefined;
  #readingAhead = false;
  #upgraded = false;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;

  /** Serves `transport`; `handle` is called for one request at a time. */
  constructor(
    transport: Transport,
    handle: ExchangeHandler,
    options: Http1Options = DEFAULT_HTTP1_OPTIONS,
  ) {
    this.#reader = new ByteReader(transport.readable);
    this.#output = new Output((bytes) => transport.write(bytes));
    this.#transport = transport;
    this.#options = options;
    this.#handle = handle;
    this.#parser = new RequestHeadParser(this.#reader, options);
    this.#context = this.#createContext();
  }

  /** Whether no request has begun to arrive since the last was answered. */
  get idle(): boolean {
    return this.#idle && this.#reader.buffered === 0;
  }

  /**
   * Whether it is idle behind a request. A client expects that such a
   * connection may be closed; on a fresh one, its first request would be lost.
   */
  get evictable(): boolean {
    return this.idle && this.#requests > 0;
  }

  /** Whether the connection closes after the current exchange. */
  get closing(): boolean {
    return this.#closing ||
      this.#requests >= this.#options.maxRequestsPerConnection;
  }

  /**
   * Serves requests until the connection is closed.
   *
   * @throws Whatever the transport was lost by.
   */
  async run(): Promise<void> {
    try {
      while (await this.#serveOne());
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      await this.#refuse(error.status);
    } finally {
      clearTimeout(this.#flushTimer);
      this.#transport.close();
    }
  }

  /** Closes the connection: at once if idle, else after the current response. */
  shutdown(): void {
    this.#closing = true;
    if (this.idle) this.#transport.endRead();
    this.#exchange?.onShutdown?.();
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#closing = true;
    this.#transport.close();
    this.#depart("lost");
  }

  /** What exchanges see of this connection. */
  #createContext(): ExchangeContext {
    const closing = (): boolean => this.closing;
    const departure = (): Departure | undefined => this.#departure;
    return {
      reader: this.#reader,
      output: this.#output,
      limits: this.#options,
      dateHeader: this.#options.dateHeader,
      serverHeader: this.#options.serverHeader,
      get closing() {
        return closing();
      },
      get departure() {
        return departure();
      },
      fillBody: (exchange) => this.#fillBody(exchange),
      readAhead: () => this.#readAhead(),
      flush: (last) => this.#flush(last),
      upgrade: () => this.#upgrade(),
      abort: () => this.abort(),
    };
  }

  /** Waits for bytes of a body that the application asked for. */
  async #fillBody(exchange: Http1Exchange): Promise<boolean> {
    if (exchange !== this.#exchange) return false;
    const { readDeadline } = this.#transport;
    readDeadline.arm(this.#options.bodyTimeout, this.#bodyExpired);
    try {
      return await this.#reader.fill();
    } finally {
      // Behind the response, the deadline has another use.
      if (exchange === this.#exchange) readDeadline.disarm();
    }
  }

  /** Sends what is collected; holds it back while a burst is being answered. */
  #flush(last: boolean): Promise<void> | undefined {
    const held = last && this.#reader.buffered > 0 &&
      this.#output.length < MAX_HELD_BYTES;
    if (!held) return this.#output.flush();
    this.#flushTimer ??= setTimeout(this.#flushHeld, 0);
  }

  /** Serves one request; whether another may follow. */
  async #serveOne(): Promise<boolean> {
    const head = this.#parser.take() ?? await this.#waitForHead();
    if (head === null) return false;
    this.#idle = false;
    this.#requests++;
    const exchange = this.#exchange = new Http1Exchange(head, this.#context);
    this.#readAhead();
    await this.#handle(exchange);
    this.#exchange = undefined;
    this.#transport.readDeadline.disarm();
    if (this.#departure === "lost") return false;
    if (this.#upgraded) {
      await this.#linger();
      return false;
    }
    const reusable = exchange.keepAlive && await this.#drain(exchange);
    // A client that has half-closed is still owed what it asked for before.
    if (reusable && !this.#closing) {
      this.#idle = true;
      this.onIdle?.();
      return true;
    }
    await this.#output.flush();
    if (!reusable || this.#reader.buffered > 0) await this.#linger();
    return false;
  }

  /** Reads a head under its deadlines; `null` if the client closes instead. */
  async #waitForHead(): Promise<RequestHead | null> {
    const { readDeadline } = this.#transport;
    const { headerTimeout, keepAliveTimeout } = this.#options;
    await this.#output.flush();
    if (this.#requests === 0) {
      readDeadline.arm(headerTimeout, this.#headExpired);
    } else if (this.idle) {
      readDeadline.arm(keepAliveTimeout, this.#idleExpired);
      if (!await this.#reader.fill()) return null;
      readDeadline.arm(headerTimeout, this.#headExpired);
    } else {
      readDeadline.arm(headerTimeout, this.#headExpired);
    }
    const head = await this.#parser.read();
    readDeadline.disarm();
    return head;
  }

  /** Keeps a read pending while a request is handled, within bounds. */
  #readAhead(): void {
    if (this.#readingAhead || this.#upgraded) return;
    if (this.#exchange === undefined) return;
    if (this.#reader.buffered >= READ_AHEAD_BYTES) return;
    this.#readingAhead = true;
    this.#reader.fill().then(this.#readMore, this.#lost);
  }

  readonly #readMore = (arrived: boolean): void => {
    this.#readingAhead = false;
    if (!arrived) this.#depart("half-closed");
    else this.#readAhead();
  };

  /** Hands the connection over: from now on the new protocol reads ahead. */
  #upgrade(): UpgradedStream {
    const reader = this.#reader;
    const { readDeadline } = this.#transport;
    this.#upgraded = true;
    return {
      reader,
      readDeadline,
      write: (bytes) => this.#transport.write(bytes),
      abort: () => this.abort(),
    };
  }

  readonly #lost = (error: unknown): void => {
    this.#readingAhead = false;
    // A deadline that passed is for the reader of the body to tell.
    if (!(error instanceof HttpError)) this.#depart("lost");
  };

  #depart(how: Departure): void {
    if (this.#departure === how) return;
    this.#departure = how;
    this.#exchange?.onDeparture?.(how);
  }

  /** Reads what is left of a body, within bounds; whether its end was reached. */
  async #drain(exchange: Http1Exchange): Promise<boolean> {
    if (exchange.bodyComplete) return true;
    await this.#output.flush();
    const { drainBytes, drainTimeout } = this.#options;
    const { readDeadline } = this.#transport;
    readDeadline.arm(drainTimeout, this.#idleExpired);
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
    try {
      // A handler that lets a fault of the body escape may have answered.
      const exchange = this.#exchange ??
        new Http1Exchange(UNREADABLE, this.#context);
      if (!exchange.complete) await exchange.refuse(status);
      await this.#output.flush();
      await this.#linger();
    } catch {
      // The client is lost.
    }
  }

  /**
   * Says that nothing more comes, and reads on for a while: a close with bytes
   * unread would reset the connection, and the client might lose the response.
   */
  async #linger(): Promise<void> {
    const { readDeadline } = this.#transport;
    await this.#transport.closeWrite();
    readDeadline.arm(this.#options.drainTimeout, this.#idleExpired);
    do this.#reader.discard(); while (await this.#reader.fill());
    readDeadline.disarm();
  }

  readonly #headExpired = (): void => {
    this.#transport.endRead(new HttpError(408, "Cannot wait for request head"));
  };

  readonly #bodyExpired = (): void => {
    this.#transport.endRead(new HttpError(408, "Cannot wait for request body"));
  };

  readonly #idleExpired = (): void => {
    this.#transport.endRead();
  };

  readonly #flushHeld = (): void => {
    this.#flushTimer = undefined;
    this.#output.flush()?.catch(() => this.#lost(undefined));
  };
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
  upgrade: false,
};

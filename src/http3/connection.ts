/**
 * Serves the requests of one HTTP/3 connection, all at once (RFC 9114).
 *
 * @module
 */

import { checkFields } from "../http/fields.ts";
import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import type { Http3Exchange } from "./exchange.ts";
import {
  checkHttp3Options,
  DEFAULT_HTTP3_OPTIONS,
  type Http3Options,
} from "./options.ts";
import type { QuicTransport } from "./transport.ts";

/** H3_NO_ERROR (RFC 9114, section 8.1). */
const NO_ERROR = 0x100;

/**
 * Answers a request; resolves when its response is complete or aborted. Many run
 * at once.
 */
export type Http3Handler = (exchange: Http3Exchange) => Promise<void>;

/** Counts what happens on connections. */
export interface Http3Meter {
  /** Streams of requests that are open. */
  http3StreamsOpen: number;
  /** Requests that were refused, because their client had too many. */
  http3StreamsRefused: number;
  /** Connections that were closed with H3_EXCESSIVE_LOAD. */
  http3ConnectionsClosedForAbuse: number;
}

/** An HTTP/3 connection. */
export class Http3Connection implements ServedConnection {
  /** Called when the connection is idle after a request. */
  onIdle: (() => void) | undefined;
  /** Called when a request was answered with an error, without the handler. */
  onRefused: ((refused: RefusedBytes) => void) | undefined;
  /** Counts streams, if anybody wants to know. */
  meter: Http3Meter | undefined;

  readonly #transport: QuicTransport;

  /**
   * Serves `transport`.
   *
   * @throws {TypeError} If the option `serverHeader` can't be sent.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(
    transport: QuicTransport,
    _handle: Http3Handler,
    options: Http3Options = DEFAULT_HTTP3_OPTIONS,
  ) {
    checkHttp3Options(options);
    if (options.serverHeader !== null) {
      checkFields([["server", options.serverHeader]]);
    }
    this.#transport = transport;
  }

  /** Whether no stream is open. */
  get idle(): boolean {
    return true;
  }

  /** Whether it is idle after a request whose response was written. */
  get evictable(): boolean {
    return false;
  }

  /**
   * Since when the client has kept it waiting, by the clock of `performance`;
   * `undefined` while a stream is open, and while it is idle after one.
   */
  get waitingSince(): number | undefined {
    return undefined;
  }

  /**
   * Serves requests until the connection is closed.
   *
   * @throws Whatever a handler has failed with.
   */
  async run(): Promise<undefined> {
    await this.#transport.closed;
  }

  /** Lets the client know that the server leaves; its requests are served. */
  shutdown(): void {
    this.#transport.close(NO_ERROR, "");
  }

  /** Closes the connection, unless a request is being handled. */
  evict(): void {
    this.#transport.close(NO_ERROR, "");
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#transport.close(NO_ERROR, "");
  }
}

/**
 * Serves the requests of one HTTP/3 connection, all at once (RFC 9114): each of
 * them comes on a stream of its own, and is read when its handler wants it.
 *
 * @module
 */

import { MAX_PSEUDO_FIELDS } from "../http/field_list.ts";
import { checkFields } from "../http/fields.ts";
import { handleExchange } from "../http/handle_exchange.ts";
import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import { giveWay } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import { Budgets } from "./budgets.ts";
import { ControlStream } from "./control_stream.ts";
import { ControlWriter } from "./control_writer.ts";
import { ERROR_CODES, Http3Error } from "./errors.ts";
import type { Http3Exchange } from "./exchange.ts";
import { Lifecycle } from "./lifecycle.ts";
import {
  checkHttp3Options,
  DEFAULT_HTTP3_OPTIONS,
  type Http3Options,
} from "./options.ts";
import { QpackDecoder } from "./qpack/decoder.ts";
import { QpackError } from "./qpack/qpack_error.ts";
import { Streams } from "./streams.ts";
import type { QuicTransport } from "./transport.ts";
import { UnidirectionalStreams } from "./unidirectional_streams.ts";

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
  readonly #handle: Http3Handler;
  readonly #options: Http3Options;
  readonly #streams: Streams;
  readonly #unidirectional: UnidirectionalStreams;
  #life: Lifecycle | undefined;
  #requests = 0;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Serves `transport`.
   *
   * @throws {TypeError} If the option `serverHeader` can't be sent.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(
    transport: QuicTransport,
    handle: Http3Handler,
    options: Http3Options = DEFAULT_HTTP3_OPTIONS,
  ) {
    checkHttp3Options(options);
    if (options.serverHeader !== null) {
      checkFields([["server", options.serverHeader]]);
    }
    this.#transport = transport;
    this.#handle = handle;
    this.#options = options;
    const decoder = new QpackDecoder({
      maxListSize: options.maxHeaderBytes,
      maxFields: options.maxHeaders + MAX_PSEUDO_FIELDS,
    });
    const budgets = new Budgets(options.maxConcurrentStreams);
    this.#streams = this.#createStreams(decoder, budgets);
    this.#unidirectional = this.#createUnidirectional(decoder, budgets);
  }

  #createStreams(decoder: QpackDecoder, budgets: Budgets): Streams {
    return new Streams({
      options: this.#options,
      decoder,
      budgets,
      createDeadline: () => this.#transport.createDeadline(),
      onBegun: () => this.#streamBegun(),
      onRequest: (exchange) => this.#requestCame(exchange),
      onAnswered: (status, bytesSent) => this.#answered(status, bytesSent),
      onTooMany: () => {
        if (this.meter !== undefined) this.meter.http3StreamsRefused++;
      },
      onEnded: () => this.#streamEnded(),
      onFailed: (error) => this.#fail(error),
      onCut: () => this.#life?.close("H3_INTERNAL_ERROR"),
      onStalled: () =>
        this.#fail(
          new Http3Error("H3_EXCESSIVE_LOAD", "A response was not read"),
        ),
    });
  }

  #createUnidirectional(
    decoder: QpackDecoder,
    budgets: Budgets,
  ): UnidirectionalStreams {
    const streams = this.#streams;
    const control = new ControlStream({
      settingsCame: ({ maxFieldSectionSize }) => {
        streams.maxFieldSectionSize = maxFieldSectionSize;
        this.#life?.settingsCame();
      },
      priorityUpdated: (update) => streams.priorityUpdated(update),
      get streamLimit(): number {
        return streams.streamLimit;
      },
    }, budgets);
    return new UnidirectionalStreams({
      control,
      decoder,
      budgets,
      onFailed: (error) => this.#fail(error),
    });
  }

  /** Whether no stream is open. */
  get idle(): boolean {
    return this.#streams.size === 0 && (this.#life?.serves ?? true);
  }

  /** Whether it is idle after a request whose response was written. */
  get evictable(): boolean {
    return this.idle && (this.#life?.used ?? false);
  }

  /**
   * Since when the client has kept it waiting, by the clock of `performance`: for
   * its first request, or for the fields of one. `undefined` while a request is
   * handled, and while it is idle after one.
   */
  get waitingSince(): number | undefined {
    return this.#life?.waitingSince;
  }

  /**
   * Serves requests until the connection is closed.
   *
   * @throws Whatever a handler has failed with.
   */
  async run(): Promise<undefined> {
    const life = this.#begin();
    const accepting = [this.#acceptRequests(), this.#acceptUnidirectional()];
    await this.#transport.closed;
    life.end();
    this.#streams.lose(new Error("The connection was closed"));
    await Promise.all(accepting);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #begin(): Lifecycle {
    const transport = this.#transport;
    const options = this.#options;
    const control = new ControlWriter(
      transport,
      options.maxHeaderBytes,
      () => this.#controlLost(),
    );
    const streams = this.#streams;
    const life = new Lifecycle({ transport, control, streams, options });
    this.#life = life;
    life.begin();
    return life;
  }

  async #acceptRequests(): Promise<void> {
    for (;;) {
      const stream = await this.#transport.acceptStream();
      if (stream === undefined) return;
      this.#streams.accept(stream);
      const wait = giveWay(1);
      if (wait !== undefined) await wait;
    }
  }

  async #acceptUnidirectional(): Promise<void> {
    for (;;) {
      const stream = await this.#transport.acceptUnidirectional();
      if (stream === undefined) return;
      handled(this.#unidirectional.take(stream)); // It does not reject.
    }
  }

  /** The client has stopped the control stream, or is lost. */
  #controlLost(): void {
    this.#fail(
      new Http3Error(
        "H3_CLOSED_CRITICAL_STREAM",
        "The control stream was stopped",
      ),
    );
  }

  #streamBegun(): void {
    if (this.meter !== undefined) this.meter.http3StreamsOpen++;
    this.#life?.streamCame();
  }

  #requestCame(exchange: Http3Exchange): void {
    this.#countRequest();
    handled(handleExchange(exchange, this.#handle, this.#handlerFailed));
  }

  #answered(status: number, bytesSent: number): void {
    this.#countRequest();
    this.onRefused?.({ status, refusal: status, bytesSent, aborted: false });
  }

  #countRequest(): void {
    this.#life?.requestCame();
    const { maxRequestsPerConnection } = this.#options;
    if (++this.#requests >= maxRequestsPerConnection) this.#life?.shutdown();
  }

  #streamEnded(): void {
    if (this.meter !== undefined) this.meter.http3StreamsOpen--;
    if (this.#streams.size > 0) return;
    this.#life?.drained();
    if (this.evictable) this.onIdle?.();
  }

  /** A handler has failed: `run` says so, when the connection is over. */
  readonly #handlerFailed = (error: unknown): void => {
    this.#failure ??= { error };
  };

  /**
   * Lets the client know that the server leaves; requests that are on their way
   * are served (RFC 9114, section 5.2).
   */
  shutdown(): void {
    this.#life?.shutdown();
  }

  /** Closes the connection, unless a request is being handled. */
  evict(): void {
    if (this.idle) this.#life?.leave();
    else if (this.waitingSince !== undefined) this.abort();
  }

  /** Closes the connection at once; what was not acknowledged is lost. */
  abort(): void {
    const isCut = this.#streams.handled > 0;
    if (this.#life === undefined) {
      return this.#transport.close(ERROR_CODES.H3_NO_ERROR, "");
    }
    this.#life.close(isCut ? "H3_INTERNAL_ERROR" : "H3_NO_ERROR");
  }

  /** The client has broken a rule, or cannot be served any more. */
  #fail(error: unknown): void {
    const life = this.#life;
    if (life === undefined || life.over) return;
    if (error instanceof Http3Error || error instanceof QpackError) {
      this.#countAbuse(error);
      return life.closeWith(error.code, error.message);
    }
    this.#failure ??= { error };
    life.close("H3_INTERNAL_ERROR");
  }

  #countAbuse({ code }: Http3Error | QpackError): void {
    const isAbuse = code === ERROR_CODES.H3_EXCESSIVE_LOAD;
    if (isAbuse && this.meter !== undefined) {
      this.meter.http3ConnectionsClosedForAbuse++;
    }
  }
}

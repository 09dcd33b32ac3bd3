/**
 * Serves the requests of one HTTP/2 connection, all at once (RFC 9113). What its
 * client sends is read whatever the handlers do, since frames of all streams, and
 * the windows of what is sent, come one after the other. Only a client that does
 * not read what it has caused is not read itself.
 *
 * All frames that have come at once are dealt with before a handler is called: so
 * a request that was reset at once is not handled at all.
 *
 * @module
 */

import { checkFields } from "../http/fields.ts";
import { handleExchange } from "../http/handle_exchange.ts";
import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import type { Transport } from "../http/transport.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { giveWay } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { Http2Exchange } from "./exchange.ts";
import { ReceiveWindow } from "./flow_window.ts";
import { ERROR_CODES, Http2Error } from "./frames.ts";
import { InboundBudget } from "./inbound_body.ts";
import { Lifecycle } from "./lifecycle.ts";
import { CONNECTION_WINDOW } from "./limits.ts";
import {
  checkHttp2Options,
  DEFAULT_HTTP2_OPTIONS,
  type Http2Options,
} from "./options.ts";
import { ReceivedFrames } from "./received_frames.ts";
import { DEFAULT_SETTINGS, ServerSettings } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";
import { Streams } from "./streams.ts";
import { Http2Wire } from "./wire.ts";

/**
 * Answers a request; resolves when its response is complete or aborted. Many run
 * at once.
 */
export type Http2Handler = (exchange: Http2Exchange) => Promise<void>;

/** Counts what happens on connections. */
export interface Http2Meter {
  /** Streams that are open. */
  http2StreamsOpen: number;
  /** Streams that were refused, because their client had too many. */
  http2StreamsRefused: number;
  /** Connections that were closed with ENHANCE_YOUR_CALM. */
  http2ConnectionsClosedForAbuse: number;
}

/** An HTTP/2 connection. */
export class Http2Connection implements ServedConnection {
  /** Called when the connection is idle after a request. */
  onIdle: (() => void) | undefined;
  /** Called when a request was answered with an error, without the handler. */
  onRefused: ((refused: RefusedBytes) => void) | undefined;
  /** Counts streams, if anybody wants to know. */
  meter: Http2Meter | undefined;

  readonly #transport: Transport;
  readonly #handle: Http2Handler;
  readonly #options: Http2Options;
  readonly #reader: ByteReader;
  readonly #window = new ReceiveWindow(0, CONNECTION_WINDOW);
  readonly #settings: ServerSettings;
  readonly #wire: Http2Wire;
  readonly #streams: Streams;
  readonly #life: Lifecycle;
  readonly #frames: ReceivedFrames;

  /** Requests that have come with what was read last. */
  readonly #arrived: { exchange: Http2Exchange; stream: Http2Stream }[] = [];
  #requests = 0;
  /** Whether streams were open since it was idle. */
  #active = false;
  #failure: { readonly error: unknown } | undefined;
  /** Resolves when no stream is open, while that is waited for. */
  #onDrained: (() => void) | undefined;

  /**
   * Serves `transport`. `reader` may have been used before, to find out which
   * protocol the client speaks, and must still have its first bytes.
   *
   * @throws {TypeError} If the option `serverHeader` can't be sent.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(
    transport: Transport,
    handle: Http2Handler,
    options: Http2Options = DEFAULT_HTTP2_OPTIONS,
    reader: ByteReader = new ByteReader(transport.readable),
  ) {
    checkHttp2Options(options);
    if (options.serverHeader !== null) {
      checkFields([["server", options.serverHeader]]);
    }
    this.#transport = transport;
    this.#handle = handle;
    this.#options = options;
    this.#reader = reader;
    const settings = serverSettings(options);
    this.#settings = settings;
    const wire = new Http2Wire(transport, (error) => this.#writeFailed(error));
    this.#wire = wire;
    const streams = this.#createStreams();
    this.#streams = streams;
    const parts = { transport, wire, streams, settings, options };
    const life = new Lifecycle(parts);
    this.#life = life;
    this.#frames = new ReceivedFrames(
      { streams, wire, listener: life },
      options,
    );
  }

  #createStreams(): Streams {
    const { http2BufferBytes } = this.#options;
    return new Streams({
      wire: this.#wire,
      options: this.#options,
      inbound: new InboundBudget(this.#window, http2BufferBytes, () => {
        if (!this.#wire.reading) this.#returnCredit();
      }),
      createDeadline: () => this.#transport.createDeadline(),
      onBegun: () => this.#streamBegun(),
      onRequest: (exchange, stream) => this.#arrived.push({ exchange, stream }),
      onAnswered: (status, bytesSent) =>
        this.onRefused?.({
          status,
          refusal: status,
          bytesSent,
          aborted: false,
        }),
      onTooMany: () => {
        if (this.meter !== undefined) this.meter.http2StreamsRefused++;
      },
      onEnded: () => this.#streamEnded(),
    }, DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE);
  }

  /** Whether no stream is open, and no frame has begun to arrive. */
  get idle(): boolean {
    return this.#streams.size === 0 && this.#life.serves &&
      !this.#frames.midway && this.#reader.buffered === 0;
  }

  /** Whether it is idle after a request whose response was written. */
  get evictable(): boolean {
    return this.idle && this.#life.used && this.#wire.output.idle;
  }

  /**
   * Since when the client has kept it waiting, by the clock of `performance`:
   * for its first request, for the rest of a header block, or for its end.
   * `undefined` while a stream is open, and while it is idle after one.
   */
  get waitingSince(): number | undefined {
    return this.#life.waitingSince;
  }

  /**
   * Serves requests until the connection is closed.
   *
   * @throws Whatever the transport was lost by, or a handler has failed with.
   */
  async run(): Promise<undefined> {
    try {
      this.#begin();
      if (this.#reader.buffered > 0) await this.#receive();
      // An idle connection waits here.
      while (await this.#reader.fill()) {
        const wait = this.#receive();
        if (wait !== undefined) await wait;
      }
      await this.#clientEnded();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#end();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Says what the server is like; the client need not be waited for. */
  #begin(): void {
    const { frames } = this.#wire;
    frames.settings(this.#settings.toSend());
    const { INITIAL_WINDOW_SIZE } = DEFAULT_SETTINGS;
    frames.windowUpdate(0, CONNECTION_WINDOW - INITIAL_WINDOW_SIZE);
    this.#wire.flushSoon();
    this.#life.begin();
  }

  /** Deals with what has come; returns when more can be read. */
  #receive(): Promise<void> | undefined {
    const wire = this.#wire;
    if (!this.#life.over) {
      wire.reading = true;
      this.#takeFrames();
    }
    this.#reader.discard();
    const count = this.#callHandlers();
    this.#returnCredit();
    wire.reading = false;
    wire.sendContent();
    if (this.#active && this.#streams.size === 0) this.#drained();
    return giveWay(1 + count) ?? wire.backlog();
  }

  #takeFrames(): void {
    try {
      this.#frames.take(this.#reader.peek());
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      if (
        error.code === ERROR_CODES.ENHANCE_YOUR_CALM && this.meter !== undefined
      ) this.meter.http2ConnectionsClosedForAbuse++;
      this.#life.fail(error);
    }
  }

  #returnCredit(): void {
    const increment = this.#life.over ? 0 : this.#window.takeUpdate();
    if (increment === 0) return;
    this.#wire.frames.windowUpdate(0, increment);
    this.#wire.flushSoon();
  }

  #streamBegun(): void {
    if (this.meter !== undefined) this.meter.http2StreamsOpen++;
    this.#active = true;
    this.#life.requestCame();
    const { maxRequestsPerConnection } = this.#options;
    if (
      ++this.#requests >= maxRequestsPerConnection || this.#streams.exhausted
    ) this.#life.shutdown();
  }

  #streamEnded(): void {
    if (this.meter !== undefined) this.meter.http2StreamsOpen--;
    if (this.#streams.size === 0 && !this.#wire.reading) this.#drained();
  }

  /** No stream is open. */
  #drained(): void {
    this.#active = false;
    this.#onDrained?.();
    this.#life.drained();
    if (this.onIdle !== undefined) handled(this.#reportIdle());
  }

  /** Once the last response was written, the connection can be evicted. */
  async #reportIdle(): Promise<void> {
    await this.#wire.output.flush();
    if (this.evictable) this.onIdle?.();
  }

  /** Calls the handlers of what has come; returns how many. */
  #callHandlers(): number {
    const arrived = this.#arrived.splice(0);
    for (const { exchange, stream } of arrived) {
      if (stream.ended) exchange.callReturned();
      else handled(handleExchange(exchange, this.#handle, this.#handlerFailed));
    }
    return arrived.length;
  }

  /** A handler has failed: `run` says so, when the connection is over. */
  readonly #handlerFailed = (error: unknown): void => {
    this.#failure ??= { error };
  };

  /**
   * Lets the client know that the server leaves; requests that are on their way
   * are served (RFC 9113, section 6.8).
   */
  shutdown(): void {
    this.#life.shutdown();
  }

  /** Closes the connection, unless a request is being handled. */
  evict(): void {
    if (this.idle) {
      this.#life.goAway(ERROR_CODES.NO_ERROR);
      this.#transport.endRead();
    } else if (this.waitingSince !== undefined) this.abort();
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#wire.output.send();
    this.#transport.close();
    this.#streams.lose(new Error("The connection was closed"));
  }

  /** The client sends no more; what it has asked for is still sent to it. */
  async #clientEnded(): Promise<void> {
    this.#wire.clientEnded = true;
    this.#streams.halfClosed();
    if (this.#streams.size > 0) {
      await new Promise<void>((resolve) => this.#onDrained = resolve);
    }
    await this.#wire.output.flush();
  }

  /** The one place that gets a failed write: nothing can be sent any more. */
  #writeFailed(error: unknown): void {
    this.#failure ??= { error };
    this.abort();
  }

  /** Lets go of everything. */
  #end(): void {
    this.#life.end();
    this.#streams.lose(new Error("The connection was closed"));
    this.#transport.close();
  }
}

function serverSettings(options: Http2Options): ServerSettings {
  return new ServerSettings({
    MAX_CONCURRENT_STREAMS: options.maxConcurrentStreams,
    INITIAL_WINDOW_SIZE: options.http2StreamWindow,
    MAX_HEADER_LIST_SIZE: options.maxHeaderBytes,
    ENABLE_CONNECT_PROTOCOL: 1,
    NO_RFC7540_PRIORITIES: 1,
  });
}

/**
 * The streams of one connection, and what the frames of a client do to them
 * (RFC 9113, sections 5 and 6).
 *
 * A stream counts for the limit until it has ended; one that was reset, also
 * until its handler is done: else a client that resets what it has just begun
 * could have any number of them at work (CVE-2023-44487).
 *
 * @module
 */

import { HttpError } from "../http/http_error.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import type { Http2Exchange } from "./exchange.ts";
import { ReceiveWindow } from "./flow_window.ts";
import {
  connectionError,
  ERROR_CODES,
  type ErrorName,
  errorName,
  FLAGS,
  type Frame,
  Http2Error,
  readUint31,
  readUint32,
  streamError,
} from "./frames.ts";
import type { HeaderBlock } from "./header_block.ts";
import { type FieldList, isTooLarge } from "../http/field_list.ts";
import {
  InboundBody,
  type InboundBodyOptions,
  type InboundBudget,
} from "./inbound_body.ts";
import type { Http2Options } from "./options.ts";
import {
  DEFAULT_PRIORITY,
  parsePriority,
  PendingPriorities,
  type Priority,
} from "../http/priority.ts";
import { readPriorityUpdate } from "./priority_update.ts";
import { checkConnect, readRequest, readTrailers } from "./request_fields.ts";
import { refuseStream } from "../http/refuse_stream.ts";
import { StreamExchange } from "../http/stream_exchange.ts";
import { Http2Stream, type StreamOwner } from "./stream.ts";
import { StreamIds } from "./stream_ids.ts";
import { StreamTable } from "./stream_table.ts";
import { nextStreamState, type StreamEvent } from "./stream_state.ts";
import type { Http2Wire } from "./wire.ts";

/** What the streams of a connection need of it. */
export interface StreamsHost {
  /** The way out. */
  readonly wire: Http2Wire;
  /** Limits, deadlines, and defaults. */
  readonly options: Http2Options;
  /** The window of the connection, and what is unread of all streams. */
  readonly inbound: InboundBudget;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
  /** Called when a stream has begun. */
  onBegun(): void;
  /** Called with each request that is to be handled. */
  onRequest(exchange: Http2Exchange, stream: Http2Stream): void;
  /** Called when a request was answered with an error, without a handler. */
  onAnswered(status: number, bytesSent: number): void;
  /** Called when a stream was refused, because there are too many. */
  onTooMany(): void;
  /** Called when a stream has ended. */
  onEnded(): void;
}

/** The streams of one connection. */
export class Streams implements StreamOwner {
  readonly #host: StreamsHost;
  readonly #ids = new StreamIds();
  readonly #open = new StreamTable<Http2Stream>();
  readonly #priorities = new PendingPriorities();
  /** How many count for the limit. */
  #counted = 0;
  /** Streams above this are not served. */
  #last = Infinity;
  #sendWindow: number;

  /** Starts with none; `sendWindow` is what a client lets each of them send. */
  constructor(host: StreamsHost, sendWindow: number) {
    this.#host = host;
    this.#sendWindow = sendWindow;
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** The highest identifier that was used. */
  get lastId(): number {
    return Math.min(this.#ids.last, this.#last);
  }

  /** Whether the client has none left. */
  get exhausted(): boolean {
    return this.#ids.exhausted;
  }

  /** The way out. */
  get wire(): Http2Wire {
    return this.#host.wire;
  }

  /** How long content may wait for the client's window, in milliseconds. */
  get writeTimeout(): number {
    return this.#host.options.writeTimeout;
  }

  /** Makes a deadline. */
  createDeadline(): DisposableDeadline {
    return this.#host.createDeadline();
  }

  /** From now on, no new stream is served. */
  close(): void {
    this.#last = this.#ids.last;
  }

  /**
   * Takes a header block that was decoded.
   *
   * @throws {Http2Error} If it breaks a rule.
   */
  headers(block: HeaderBlock, list: FieldList): void {
    const { streamId, endStream } = block;
    if (streamId > this.#last) return;
    const stream = this.#open.get(streamId);
    const event = endStream ? "received last HEADERS" : "received HEADERS";
    if (stream !== undefined) {
      this.#checkDependency(block);
      stream.advance(event);
      this.#checkTrailers(streamId, list);
      stream.receiveEnd();
    } else if (this.#ids.stateOf(streamId) === "idle") {
      this.#ids.begin(streamId);
      this.#begin(block, list, event);
    } else this.#gone(streamId, event);
  }

  #checkTrailers(streamId: number, list: FieldList): void {
    const { fields } = list;
    if (list.tooLarge) {
      throw new Http2Error("ENHANCE_YOUR_CALM", "Trailers too large", streamId);
    }
    readTrailers({ streamId, fields, endStream: true });
  }

  /** What a client of RFC 7540 may say is ignored, but for what is nonsense. */
  #checkDependency({ streamId, selfDependent }: HeaderBlock): void {
    if (!selfDependent) return;
    const message = `Stream ${streamId} depends on itself`;
    throw streamError(streamId, "PROTOCOL_ERROR", message);
  }

  #begin(block: HeaderBlock, list: FieldList, event: StreamEvent): void {
    const { streamId, endStream } = block;
    const { options, wire } = this.#host;
    const priority = this.#priorities.take(streamId);
    wire.budgets.request();
    if (this.#counted >= options.maxConcurrentStreams) {
      return this.#refuse(streamId);
    }
    this.#checkDependency(block);
    try {
      if (isTooLarge(list, options.maxHeaders)) {
        throw new HttpError(431, TOO_LARGE);
      }
      const { fields } = list;
      const request = readRequest({ streamId, fields, endStream }, options);
      const { protocol, method, contentLength } = request;
      const { maxBodyBytes: maxBytes } = options;
      if (method === "CONNECT") checkConnect(protocol, endStream);
      const stream = this.#create(
        streamId,
        priority ?? parsePriority(request.priority),
        // What a tunnel carries is no content.
        protocol === undefined ? { contentLength, maxBytes } : {},
      );
      const exchange = new StreamExchange(request, stream, {
        version: "2",
        options,
        released: (stream) => this.#released(stream),
      });
      stream.advance(event);
      if (endStream) stream.receiveEnd();
      this.#host.onRequest(exchange, stream);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const stream = this.#create(streamId, DEFAULT_PRIORITY, {});
      stream.advance(event);
      if (endStream) stream.receiveEnd();
      this.#answer(stream, list, error.status);
    }
  }

  #create(
    id: number,
    priority: Priority,
    content: InboundBodyOptions,
  ): Http2Stream {
    const { options, inbound } = this.#host;
    const window = new ReceiveWindow(id, options.http2StreamWindow);
    const body = new InboundBody(window, inbound, content);
    const sendWindow = this.#sendWindow;
    const stream = new Http2Stream(this, { id, priority, sendWindow, body });
    this.#open.add(stream);
    this.#counted++;
    this.wire.streams++;
    this.#host.onBegun();
    return stream;
  }

  /** One too many: the client may try again, as nothing was done. */
  #refuse(streamId: number): void {
    this.#host.onTooMany();
    this.#reset(streamId, "REFUSED_STREAM");
    this.wire.budgets.clientReset();
  }

  /** Answers a request that is not handled with an error page. */
  #answer(stream: Http2Stream, list: FieldList, status: number): void {
    const { options: defaults } = this.#host;
    const bytesSent = refuseStream(stream, { status, list, defaults });
    this.#host.onAnswered(status, bytesSent);
  }

  /**
   * Takes a DATA frame.
   *
   * @throws {Http2Error} If it breaks a rule.
   */
  data(frame: Frame): void {
    const { streamId, flags, start, end, length } = frame;
    this.#host.inbound.arrived(length);
    if (streamId > this.#last) return;
    const last = (flags & FLAGS.END_STREAM) !== 0;
    const stream = this.#open.get(streamId);
    this.wire.budgets.data(end - start, stream?.body.unread ?? 0, last);
    if (stream !== undefined) stream.receiveData(frame, last);
    else this.#gone(streamId, last ? "received last DATA" : "received DATA");
  }

  /**
   * Takes an RST_STREAM.
   *
   * @throws {Http2Error} If it breaks a rule.
   */
  reset({ streamId, bytes, start }: Frame): void {
    if (streamId > this.#last) return;
    const stream = this.#open.get(streamId);
    if (stream === undefined) return this.#gone(streamId, RESET);
    const code = errorName(readUint32(bytes, start));
    stream.lose(new Error(`The client has reset the stream (${code})`));
    // It had its answer: that the request did not end matters to nobody.
    if (!stream.complete) this.wire.budgets.clientReset();
  }

  /**
   * Takes the WINDOW_UPDATE of a stream.
   *
   * @throws {Http2Error} If it breaks a rule.
   */
  windowUpdate({ streamId, bytes, start }: Frame): void {
    if (streamId > this.#last) return;
    const stream = this.#open.get(streamId);
    if (stream === undefined) {
      return this.#gone(streamId, "received WINDOW_UPDATE");
    }
    stream.advance("received WINDOW_UPDATE");
    stream.window.adjustTo(this.#sendWindow);
    stream.window.grow(readUint31(bytes, start));
    this.wire.scheduler.update(stream);
  }

  /** Takes a PRIORITY_UPDATE. */
  priorityUpdate(frame: Frame): void {
    const update = readPriorityUpdate(frame);
    if (update === undefined) return;
    const stream = this.#open.get(update.streamId);
    if (stream !== undefined) {
      stream.priority = update.priority;
      this.wire.scheduler.reprioritize(stream);
    } else if (update.streamId > this.#ids.last) this.#priorities.set(update);
  }

  /**
   * The client has changed the window that each stream begins with;
   * {@linkcode Streams.adjustWindows} is due before content is sent.
   */
  setSendWindow(value: number): void {
    this.#sendWindow = value;
    this.wire.windowsDue = true;
  }

  /**
   * Adjusts the windows of all streams: once for all SETTINGS that came together,
   * since a client can send thousands of them at once.
   *
   * @throws {Http2Error} If one becomes too large.
   */
  adjustWindows(): void {
    if (!this.wire.windowsDue) return;
    this.wire.windowsDue = false;
    for (const stream of this.#open.all()) {
      stream.window.adjustTo(this.#sendWindow);
      this.wire.scheduler.update(stream);
    }
  }

  /**
   * Ends a stream whose client has broken a rule.
   *
   * @throws {Http2Error} If there never was such a stream.
   */
  fault({ streamId, code, message }: Http2Error): void {
    const name = errorName(code) as ErrorName;
    const id = streamId!;
    const stream = this.#open.get(id);
    if (stream === undefined) {
      if (this.#ids.stateOf(id) === "idle") {
        throw connectionError(name, message);
      }
      this.#reset(id, name);
    } else {
      stream.cut(name, new Error(message));
    }
    this.wire.budgets.provokedReset();
  }

  /** Ends a stream that is not there. */
  #reset(streamId: number, code: ErrorName): void {
    if (this.#ids.stateOf(streamId) === "reset") return;
    this.#ids.reset(streamId);
    this.wire.frames.rstStream(streamId, ERROR_CODES[code]);
  }

  /** A frame on a stream that has ended, or was never begun. */
  #gone(streamId: number, event: StreamEvent): void {
    const state = this.#ids.stateOf(streamId);
    if (state === "forgotten") this.wire.budgets.glitch();
    else nextStreamState(streamId, state, event);
  }

  /** The client sends no more, on any stream. */
  halfClosed(): void {
    for (const stream of this.#open.all()) stream.halfClosed();
  }

  /** The client is lost. */
  lose(reason: Error): void {
    const streams = this.#open.all();
    // First all of them end: else what one brings about would be sent.
    for (const stream of streams) stream.end(reason);
    for (const stream of streams) stream.lose(reason);
  }

  /** Called by a stream that has ended. */
  ended(stream: Http2Stream): void {
    this.#open.delete(stream.id);
    this.wire.streams--;
    if (stream.wasReset) this.#ids.reset(stream.id);
    if (stream.complete || !stream.isHandled) this.#counted--;
    this.#host.onEnded();
  }

  /** Nothing works on a stream any more. */
  #released(stream: Http2Stream): void {
    if (stream.ended && !stream.complete) this.#counted--;
  }
}

const RESET = "received RST_STREAM";
const TOO_LARGE = "Cannot serve request: its fields are too large";

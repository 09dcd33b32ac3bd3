/**
 * The requests of one connection: each on a stream of its own, in any order.
 *
 * A request counts for the limit until its stream has ended; one that was
 * cancelled, also until its handler is done: else a client that cancels what it has
 * just begun could have any number of them at work (CVE-2023-44487).
 *
 * All open streams are referenced here: Deno ends those that are garbage.
 *
 * @module
 */

import { checkTrailers, MalformedError } from "../http/field_section.ts";
import type { Field } from "../http/fields.ts";
import { type FieldList, isTooLarge } from "../http/field_list.ts";
import { HttpError } from "../http/http_error.ts";
import {
  DEFAULT_PRIORITY,
  parsePriority,
  PendingPriorities,
  type Priority,
  type PriorityUpdate,
} from "../http/priority.ts";
import {
  readRequestFields,
  type RequestFields,
} from "../http/request_fields.ts";
import { refuseStream } from "../http/refuse_stream.ts";
import { StreamExchange } from "../http/stream_exchange.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import type { Budgets } from "./budgets.ts";
import type { Http3Exchange } from "./exchange.ts";
import { PROBE_INTERVAL_MS } from "./limits.ts";
import type { Http3Options } from "./options.ts";
import type { QpackDecoder } from "./qpack/decoder.ts";
import { Http3Stream, type StreamOwner } from "./stream.ts";
import type { QuicStream } from "./transport.ts";

/** What the streams of a connection need of it. */
export interface StreamsHost {
  /** Limits, deadlines, and defaults. */
  readonly options: Http3Options;
  /** Decodes all field sections. */
  readonly decoder: QpackDecoder;
  /** What the client may cost. */
  readonly budgets: Budgets;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
  /** Called when a stream has begun. */
  onBegun(): void;
  /** Called with each request that is to be handled. */
  onRequest(exchange: Http3Exchange): void;
  /** Called when a request was answered with an error, without a handler. */
  onAnswered(status: number, bytesSent: number): void;
  /** Called when a request was refused, because there are too many. */
  onTooMany(): void;
  /** Called when a stream has ended. */
  onEnded(): void;
  /** Called when the client has broken a rule. */
  onFailed(error: unknown): void;
  /** Called when the one response that there is can't be completed. */
  onCut(): void;
  /** Called when a write takes too long. */
  onStalled(): void;
}

/** Why a request is answered without a handler. */
const TOO_LARGE = new HttpError(431, "Cannot serve request: too many fields");
const TOO_MANY = new HttpError(503, "Cannot serve request: too many of them");
const LEAVING = new HttpError(503, "Cannot serve request: the server leaves");
const TOO_SLOW = new HttpError(408, "Cannot wait for the fields of a request");

/** That of requests that say nothing is what a stream begins with. */
const DEFAULT_ORDER = 0;

/** The streams of one connection. */
export class Streams implements StreamOwner {
  /** The largest field section that the client accepts. */
  maxFieldSectionSize = Infinity;

  readonly #host: StreamsHost;
  readonly #open = new Map<number, Http3Stream>();
  readonly #priorities = new PendingPriorities();
  /** How many count for the limit, besides those that are open. */
  #overdue = 0;
  #handled = 0;
  /** The identifier after the highest that has come. */
  #nextId = 0;
  /** Requests from this one on are not served. */
  #end = Infinity;
  #probeDeadline: DisposableDeadline | undefined;

  /** Starts with none. */
  constructor(host: StreamsHost) {
    this.#host = host;
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** How many of them have a request that is being answered. */
  get handled(): number {
    return this.#handled;
  }

  /** The identifier of the first request that was not served. */
  get nextId(): number {
    return Math.min(this.#nextId, this.#end);
  }

  /** An identifier that the client's streams cannot have reached. */
  get streamLimit(): number {
    return this.#nextId + 4 * this.options.maxConcurrentStreams;
  }

  /** Limits and deadlines. */
  get options(): Http3Options {
    return this.#host.options;
  }

  /** Makes a deadline. */
  createDeadline(): DisposableDeadline {
    return this.#host.createDeadline();
  }

  /** From now on, no new request is served. */
  close(): void {
    this.#end = this.#nextId;
  }

  /** Takes a stream that the client has begun. */
  accept(quic: QuicStream): void {
    const stream = new Http3Stream(quic, this);
    this.#nextId = Math.max(this.#nextId, stream.id + 4);
    this.#open.set(stream.id, stream);
    const priority = this.#priorities.take(stream.id);
    if (priority !== undefined) reprioritize(stream, priority);
    if (this.#open.size === 1) this.#armProbe();
    this.#host.onBegun();
    stream.begin();
  }

  /** Takes a PRIORITY_UPDATE. */
  priorityUpdated(update: PriorityUpdate): void {
    const stream = this.#open.get(update.streamId);
    if (stream !== undefined) reprioritize(stream, update.priority);
    else if (update.streamId >= this.#nextId) this.#priorities.set(update);
  }

  /** Called by a stream with its request. */
  headCame(stream: Http3Stream, section: Uint8Array | undefined): void {
    this.#host.budgets.request();
    const list = section === undefined ? undefined : this.#decode(section);
    try {
      this.#begin(stream, this.#read(stream, list));
    } catch (error) {
      const isMalformed = error instanceof MalformedError;
      if (!isMalformed && !(error instanceof HttpError)) throw error;
      this.#answer(stream, list, isMalformed ? 400 : error.status);
    }
  }

  /** Without a table, no section is ever blocked. */
  #decode(section: Uint8Array): FieldList {
    return this.#host.decoder.decode(section)!;
  }

  #read(stream: Http3Stream, list: FieldList | undefined): RequestFields {
    const { options } = this.#host;
    if (stream.id >= this.#end) throw LEAVING;
    if (this.#open.size + this.#overdue > options.maxConcurrentStreams) {
      this.#host.onTooMany();
      throw TOO_MANY;
    }
    if (list === undefined || isTooLarge(list, options.maxHeaders)) {
      throw TOO_LARGE;
    }
    const request = readRequestFields(list.fields, true, options);
    if (request.method === "CONNECT") {
      // Of the protocols, WebSocket is served, and no tunnel of TCP.
      if (request.protocol === undefined) {
        throw new HttpError(501, "Cannot serve CONNECT");
      }
      stream.body.connect();
    }
    return request;
  }

  #begin(stream: Http3Stream, request: RequestFields): void {
    const { contentLength: declared, priority } = request;
    const { options } = this.#host;
    stream.body.expect({ declared, maxBytes: contentLimit(request, options) });
    if (priority !== undefined && !stream.isReprioritized) {
      setPriority(stream, parsePriority(priority));
    }
    this.#handled++;
    const exchange = new StreamExchange(request, stream, {
      version: "3",
      options,
      released: (stream) => this.#released(stream),
    });
    this.#host.onRequest(exchange);
  }

  /** Answers a request that is not handled with an error page. */
  #answer(
    stream: Http3Stream,
    list: FieldList | undefined,
    status: number,
  ): void {
    const { options: defaults } = this.#host;
    const headers: Field[] = status === 503 ? [["retry-after", "1"]] : [];
    const refusal = { status, headers, list, defaults };
    this.#host.onAnswered(status, refuseStream(stream, refusal));
  }

  /** Called by a stream; trailers are checked, and dropped. */
  trailersCame(stream: Http3Stream, section: Uint8Array | undefined): void {
    const list = section === undefined ? undefined : this.#decode(section);
    if (list === undefined || isTooLarge(list, this.options.maxHeaders)) {
      return stream.body.refuse(431, "its trailers are too large");
    }
    try {
      checkTrailers(list.fields);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      stream.body.refuse(400, "its trailers are malformed");
    }
  }

  /** Called by a stream. */
  idleFrameCame(): void {
    this.#host.budgets.idleFrame();
  }

  /** Called by a stream. */
  headTimedOut(stream: Http3Stream): void {
    this.#answer(stream, undefined, TOO_SLOW.status);
  }

  /** Called by a stream. */
  cancelled(): void {
    try {
      this.#host.budgets.cancel();
    } catch (error) {
      this.#host.onFailed(error);
    }
  }

  /** Called by a stream: where no other is open, its connection may end. */
  cutShort(): boolean {
    if (this.#open.size > 1) return false;
    this.#host.onCut();
    return true;
  }

  /** Called by a stream. */
  stalled(): void {
    this.#host.onStalled();
  }

  /** Called by a stream. */
  failed(error: unknown): void {
    this.#host.onFailed(error);
  }

  /** Called by a stream. */
  ended(stream: Http3Stream): void {
    this.#open.delete(stream.id);
    if (stream.isHandled && !stream.complete) this.#overdue++;
    if (this.#open.size === 0) this.#probeDeadline?.disarm();
    this.#host.onEnded();
  }

  /** Nothing works on a stream any more. */
  #released(stream: Http3Stream): void {
    this.#handled--;
    if (stream.ended && !stream.complete) this.#overdue--;
  }

  /** The client is lost. */
  lose(reason: Error): void {
    for (const stream of [...this.#open.values()]) stream.lose(reason);
    this.#probeDeadline?.[Symbol.dispose]();
    this.#probeDeadline = undefined;
  }

  #armProbe(): void {
    this.#probeDeadline ??= this.createDeadline();
    this.#probeDeadline.arm(PROBE_INTERVAL_MS, this.#probe);
  }

  readonly #probe = (): void => {
    this.#armProbe();
    for (const stream of this.#open.values()) stream.probe();
  };
}

function reprioritize(stream: Http3Stream, priority: Priority): void {
  stream.isReprioritized = true;
  setPriority(stream, priority);
}

/** Those of an urgency take turns, whether they say so or not. */
function setPriority(stream: Http3Stream, { urgency }: Priority): void {
  stream.sendOrder = DEFAULT_ORDER + DEFAULT_PRIORITY.urgency - urgency;
}

/** A tunnel has no content. */
function contentLimit(
  { protocol }: RequestFields,
  { maxBodyBytes }: Http3Options,
): number {
  return protocol === undefined ? maxBodyBytes : Infinity;
}

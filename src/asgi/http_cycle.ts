/**
 * One request's cycle: calls the application, gives it the request's events,
 * and drives the response. It knows no wire format: whatever carries the
 * request implements {@linkcode Answerable}.
 *
 * What the application sends passes two places. {@linkcode HttpCycle.send}
 * checks each event's shape, and its order by {@linkcode ResponseOrder}; so a
 * faulty event rejects its own `send`, and the cycle stays as it was. Then the
 * event goes into the sink, which gives one after the other to the wire, at the
 * client's pace.
 *
 * The response begins to leave with its first content; until then any fault
 * becomes a 500. Later the connection is cut, because the client must not take
 * half a response for a whole one.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import {
  EventSink,
  EventSource,
  type EventTaker,
} from "../streams/event_streams.ts";
import { handled } from "../streams/handled.ts";
import { isInstance, readMember } from "./user_code.ts";
import type { AppCalls } from "./app_calls.ts";
import type {
  Answerable,
  Disconnect,
  DisconnectListener,
} from "../http/exchange.ts";
import {
  ClientDisconnected,
  InvalidEventError,
  isDisconnect,
} from "./errors.ts";
import { type EventPort, receiveOf, sendOf } from "./event_port.ts";
import { readFilePieces } from "./file_pieces.ts";
import {
  checkEvent,
  type ResponseBody,
  type ResponseEvent,
  type ResponseStart,
} from "./http_events.ts";
import { contentSize, Sends } from "./sends.ts";
import type { Ending } from "./shutdown_notice.ts";
import { type OrderedEvent, ResponseOrder } from "./response_order.ts";
import type {
  AsgiApp,
  HttpReceiveEvent,
  HttpResponsePathsendEvent,
  HttpResponseZerocopysendEvent,
  HttpScope,
  HttpSendEvent,
  ReadableFile,
  Send,
} from "./types.ts";

/** What all cycles of a server share. */
export interface CycleContext extends AppCalls {
  /** Opens a file for `http.response.pathsend`. */
  openFile(path: string): Promise<ReadableFile & Disposable>;
}

/** Bodies are handed over in pieces of at most this size. */
const MAX_PIECE_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);
const RETURNED = "Cannot complete response: the application has returned";
const DISCONNECT: HttpReceiveEvent = Object.freeze({ type: "http.disconnect" });

/** The cycle of one request. */
export class HttpCycle
  implements
    EventPort<HttpReceiveEvent, HttpSendEvent>,
    EventTaker<OrderedEvent>,
    DisconnectListener,
    Ending {
  /** Called when the response is complete, or was cut short. */
  onEnd: (() => void) | undefined;

  readonly #wire: Answerable;
  readonly #context: CycleContext;

  // Towards the application.
  #source: EventSource<HttpReceiveEvent> | undefined;
  #bodyDelivered = false;
  #wake: ((event: HttpReceiveEvent) => void) | undefined;

  // Towards the client.
  readonly #order: ResponseOrder;
  readonly #sink: EventSink<OrderedEvent>;
  readonly #sends = new Sends();
  /** The last of the sends in the queue: behind a file or a large body. */
  #sending: Promise<void> | undefined;
  #start: ResponseStart | undefined;
  #begun = false;
  #trailers: Field[] | undefined;

  /** Why sends reject: the client has left, or its request was refused. */
  #disconnected: ClientDisconnected | undefined;
  /** What the application has thrown, or aborted its stream with. */
  #fault: { readonly error: unknown } | undefined;
  #over = false;
  #finish: () => void = () => {};

  /** `bodyless`: whether the response has no content, as one to HEAD. */
  constructor(wire: Answerable, context: CycleContext, bodyless: boolean) {
    this.#wire = wire;
    this.#context = context;
    this.#order = new ResponseOrder(bodyless);
    this.#sink = new EventSink(this);
  }

  /**
   * Calls the application.
   *
   * @returns When the response is complete, or was cut short; the application
   * may still run then.
   */
  run(app: AsgiApp, scope: HttpScope): Promise<void> {
    this.#wire.disconnectListener = this;
    return new Promise((finish, fail) => {
      this.#finish = finish;
      this.#call(app, scope).catch(fail);
    });
  }

  async #call(app: AsgiApp, scope: HttpScope): Promise<void> {
    try {
      await app(scope, receiveOf(this), sendOf(this) as Send);
      while (this.#sending !== undefined) await this.#sending;
      this.#returned();
    } catch (error) {
      this.#failed(error);
    } finally {
      if (!this.#order.complete) this.#sink.close();
      this.#sends.report(this.#context, this.#fault);
      this.#context.onAppReturned();
    }
  }

  /** An application that returns amid its response has failed. */
  #returned(): void {
    const { complete, broken } = this.#order;
    if (complete || this.#fault !== undefined) return;
    if (this.#clientLeft && !broken) return;
    this.#context.onAppError(this.#sends.explain(RETURNED));
  }

  /** Whether the response is complete, or was cut short. */
  get ended(): boolean {
    return this.#over;
  }

  /** Ends the response as a throw does; the application may run on. */
  abort(reason: unknown): void {
    this.#failed(reason);
    if (!this.#order.complete) this.#sink.close();
  }

  /** A pipe throws what it has aborted its end with: that is told once. */
  #failed(error: unknown): void {
    if (this.#fault !== undefined && this.#fault.error === error) return;
    this.#fault = { error };
    if (!isDisconnect(error)) this.#context.onAppError(error);
  }

  /** Whether `receive` told of it, also of a half close: reason to stop early. */
  get #clientLeft(): boolean {
    return this.#disconnected !== undefined ||
      this.#wire.disconnect !== undefined;
  }

  // Towards the application: events are made when it asks for them.

  /** The request's events; each is made when it is asked for. */
  get source(): EventSource<HttpReceiveEvent> {
    return this.#source ??= new EventSource(this);
  }

  /** Whether no other event follows. */
  isLast(event: HttpReceiveEvent): boolean {
    return event.type === "http.disconnect";
  }

  /** Makes the request's next event, when it is there. */
  nextEvent(): HttpReceiveEvent | Promise<HttpReceiveEvent> {
    if (this.#over || this.#disconnected !== undefined) return DISCONNECT;
    if (!this.#bodyDelivered) return this.#takeBody() ?? this.#waitForBody();
    if (this.#wire.disconnect !== undefined) return DISCONNECT;
    return new Promise((wake) => this.#wake = wake);
  }

  #takeBody(): HttpReceiveEvent | undefined {
    try {
      const chunk = this.#wire.takeBody();
      if (chunk === undefined && !this.#wire.bodyComplete) return undefined;
      return this.#requestEvent(chunk ?? EMPTY);
    } catch (error) {
      return this.#bodyFailed(error);
    }
  }

  #waitForBody(): Promise<HttpReceiveEvent> {
    return new Promise((wake) => {
      this.#wake = wake;
      this.#wire.readBody().then(
        (chunk) => wake(this.#requestEvent(chunk ?? EMPTY)),
        (error) => wake(this.#bodyFailed(error)),
      );
    });
  }

  #requestEvent(body: Uint8Array): HttpReceiveEvent {
    const more_body = !this.#wire.bodyComplete;
    this.#bodyDelivered = !more_body;
    return { type: "http.request", body, more_body };
  }

  /** The request is bad after all: it is refused, unless it was answered. */
  #bodyFailed(error: unknown): HttpReceiveEvent {
    if (this.#over || this.#order.complete) return DISCONNECT;
    const status = isInstance(error, Error) && readMember(error, "status");
    if (typeof status === "number") this.#fail(status, error);
    return DISCONNECT;
  }

  // From the application: events are checked, then go into the sink.

  /** Takes an event of the application. */
  send(event: HttpSendEvent): Promise<void> {
    if (this.#sends.full) this.#overflow();
    if (this.#sending === undefined || this.#order.complete) {
      return this.#accept(event);
    }
    return this.#sends.rejection ?? this.#defer(event, this.#sending);
  }

  /** Lets an event wait for those before it. */
  #defer(event: HttpSendEvent, before: Promise<void>): Promise<void> {
    const size = contentSize(event);
    this.#sends.add(size);
    return this.#queue(before.then(() => {
      this.#sends.remove(size);
      return this.#accept(event);
    }));
  }

  /** Too much waits: the response fails, unless it has failed before. */
  #overflow(): void {
    if (this.#fault !== undefined || this.#disconnected !== undefined) return;
    if (this.#order.complete) return;
    handled(this.#sends.refuse((error) => this.abort(error)));
  }

  #accept(event: HttpSendEvent): Promise<void> {
    try {
      if (this.#order.complete) return this.#ignore(event);
      if (this.#sends.rejection !== undefined) return this.#sends.rejection;
      if (this.#disconnected !== undefined) {
        return this.#sends.fail(this.#disconnected);
      }
      return this.#dispatch(checkEvent(event));
    } catch (error) {
      if (this.#order.broken) this.#sink.close();
      return this.#sends.reject(error);
    }
  }

  /** A send was refused before it came here. */
  refused(error: unknown): void {
    this.#sends.note(error);
  }

  #ignore(event: HttpSendEvent): Promise<void> {
    this.#context.onIgnoredEvent(String(event?.type));
    return Promise.resolve();
  }

  #dispatch(event: ResponseEvent): Promise<void> {
    switch (event.type) {
      case "http.response.start":
        return this.#keepStart(event);
      case "http.response.early_hint":
        this.#requireEarlyHints(event.type);
        break;
      case "http.response.pathsend":
        this.#order.requireNoContent(event.type);
        return this.#hold(this.#sendPath(event));
      case "http.response.zerocopysend":
        this.#order.require("body", event.type);
        return this.#hold(this.#sendFile(event));
      case "http.response.body":
        if (event.body.length <= MAX_PIECE_BYTES) break;
        return this.#hold(this.#sendPieces(event));
    }
    return this.#put(event);
  }

  #requireEarlyHints(type: string): void {
    if (this.#wire.earlyHints) return;
    throw new InvalidEventError(
      `Cannot send ${type}: the scope does not offer it; over HTTP/1.1 it does if the server's option earlyHints is on`,
    );
  }

  /** It leaves with the first content, so until then nothing is to be done. */
  #keepStart(event: ResponseStart): Promise<void> {
    this.#order.advance(event);
    this.#start = event;
    return Promise.resolve();
  }

  #put(event: OrderedEvent): Promise<void> {
    this.#order.advance(event);
    this.#sends.add(sizeOf(event));
    return this.#sink.write(event);
  }

  #putBody(body: Uint8Array, more_body: boolean): Promise<void> {
    return this.#put({ type: "http.response.body", body, more_body });
  }

  /** Makes later events wait; those behind an event in the queue do already. */
  #hold(sending: Promise<void>): Promise<void> {
    if (this.#sending === undefined) return this.#queue(sending);
    return handled(sending);
  }

  /** Makes later events wait until `sending` is over. */
  #queue(sending: Promise<void>): Promise<void> {
    const over = (): void => {
      if (this.#sending === last) this.#sending = undefined;
      if (this.#order.broken) this.#sink.close();
    };
    const last = this.#sending = sending.then(over, (error) => {
      if (this.#fault === undefined) this.#sends.note(error);
      over();
    });
    return handled(sending);
  }

  async #sendPath({ path }: HttpResponsePathsendEvent): Promise<void> {
    using file = await this.#context.openFile(path);
    await this.#sendPiecesOf(file, undefined, false);
  }

  async #sendFile(event: HttpResponseZerocopysendEvent): Promise<void> {
    const { file, offset, count, more_body = false } = event;
    if (offset !== undefined) await file.seek(offset, 0);
    await this.#sendPiecesOf(file, count, more_body);
  }

  async #sendPiecesOf(
    file: ReadableFile,
    count: number | undefined,
    more_body: boolean,
  ): Promise<void> {
    for await (const piece of readFilePieces(file, count)) {
      await this.#putBody(piece, true);
    }
    await this.#putBody(EMPTY, more_body);
  }

  async #sendPieces({ body, more_body }: ResponseBody): Promise<void> {
    for (let start = 0; start < body.length; start += MAX_PIECE_BYTES) {
      const end = start + MAX_PIECE_BYTES;
      const more = more_body || end < body.length;
      await this.#putBody(body.subarray(start, end), more);
    }
  }

  // Towards the client: the sink gives one event at a time.

  /** Takes an event of the response that is due. */
  takeEvent(event: OrderedEvent): Promise<void> | undefined {
    this.#sends.remove(sizeOf(event));
    if (this.#disconnected !== undefined) throw this.#disconnected;
    const last = this.#isLast(event);
    const written = this.#write(event, last);
    if (written !== undefined) return this.#await(written, last);
    if (last) this.#end();
  }

  async #await(written: Promise<void>, last: boolean): Promise<void> {
    try {
      await written;
    } catch (error) {
      this.#wire.abort();
      this.#disconnect(error);
      this.#end();
      throw this.#disconnected;
    }
    if (last) this.#end();
  }

  #write(event: OrderedEvent, last: boolean): Promise<void> | undefined {
    switch (event.type) {
      case "http.response.early_hint":
        return this.#wire.sendInformational(103, event.headers);
      case "http.response.body":
        this.#begin();
        return this.#wire.data(event.body, last);
      case "http.response.trailers":
        (this.#trailers ??= []).push(...event.headers);
        return last ? this.#wire.trailers(this.#trailers) : undefined;
    }
  }

  #begin(): void {
    if (this.#begun || this.#start === undefined) return;
    this.#begun = true;
    this.#wire.head(this.#start.status, this.#start.headers);
  }

  #isLast(event: OrderedEvent): boolean {
    if (event.type === "http.response.body") {
      return !event.more_body && !this.#start?.trailers;
    }
    return event.type === "http.response.trailers" && !event.more_trailers;
  }

  /** No event will follow: unless the response is whole, its request fails. */
  endOfEvents(): void {
    if (this.#over) return;
    if (!this.#gaveUp) return this.#fail(500, undefined);
    this.#wire.abort();
    this.#lose();
  }

  /** Whether the application has stopped because the client left: no error. */
  get #gaveUp(): boolean {
    return this.#clientLeft &&
      (this.#fault === undefined || isDisconnect(this.#fault.error));
  }

  /** Refuses the request with `status`, or aborts if a response has begun. */
  #fail(status: number, cause: unknown): void {
    this.#disconnect(cause);
    this.#refuse(status).catch((error) => this.#context.onAppError(error));
  }

  async #refuse(status: number): Promise<void> {
    try {
      await this.#wire.refuse(status);
    } catch {
      this.#wire.abort();
    }
    this.#end();
  }

  /** Called when the client has left. */
  disconnected(how: Disconnect): void {
    if (how === "lost") this.#lose();
    else if (this.#bodyDelivered) this.#wake?.(DISCONNECT);
  }

  #lose(): void {
    this.#disconnect(undefined);
    this.#end();
  }

  /** From now on sends reject, and `receive` gives the disconnect. */
  #disconnect(cause: unknown): void {
    this.#disconnected ??= new ClientDisconnected({ cause });
    this.#wake?.(DISCONNECT);
  }

  #end(): void {
    this.#over = true;
    this.#wire.disconnectListener = undefined;
    this.#wake?.(DISCONNECT);
    this.onEnd?.();
    this.#finish();
  }
}

function sizeOf(event: OrderedEvent): number {
  return event.type === "http.response.body" ? event.body.length : 0;
}

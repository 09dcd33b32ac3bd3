/**
 * One stream (RFC 9113, section 5): its state, the content that comes, and the
 * content that waits to be sent. What it means is for its exchange, or its tunnel.
 *
 * A stream that has ended is forgotten by its owner. Where an answer is complete
 * before the request is, the rest is dropped, and gets no more window; a client
 * that can't end it, or does not soon, is stopped by NO_ERROR (section 8.1): some
 * clients drop an answer that they have not read when that comes.
 *
 * @module
 */

import type { Disconnect, DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import { HttpError } from "../http/http_error.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import { handled } from "../streams/handled.ts";
import { Arrival } from "../http/arrival.ts";
import { SendWindow } from "./flow_window.ts";
import { ERROR_CODES, type ErrorName, type Frame } from "./frames.ts";
import type { InboundBody } from "./inbound_body.ts";
import { END_TIMEOUT_MS } from "./limits.ts";
import { OutboundBody } from "./outbound_body.ts";
import type { Priority } from "../http/priority.ts";
import { Stall } from "./stall.ts";
import {
  nextStreamState,
  type StreamEvent,
  type StreamState,
} from "./stream_state.ts";
import type { Http2Wire, WaitingStream } from "./wire.ts";

/** At most so much content is handed out at once. */
const MAX_CHUNK_BYTES = 64 * 1024;

/** What owns the streams of a connection. */
export interface StreamOwner {
  /** The way out. */
  readonly wire: Http2Wire;
  /** How long content may wait for the client's window, in milliseconds. */
  readonly writeTimeout: number;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
  /** Called once, when nothing more is sent or received on a stream. */
  ended(stream: Http2Stream): void;
}

/** What a stream begins with. */
export interface StreamStart {
  /** Its identifier. */
  readonly id: number;
  /** When it is sent, beside others. */
  readonly priority: Priority;
  /** How much content the client lets it send. */
  readonly sendWindow: number;
  /** Takes the content that comes. */
  readonly body: InboundBody;
}

/** A stream that a client has begun. */
export class Http2Stream implements WaitingStream {
  /** Its identifier. */
  readonly id: number;
  /** When it is sent, beside others. */
  priority: Priority;
  /** The window that the client grants to it. */
  readonly window: SendWindow;
  /** The content that has come. */
  readonly body: InboundBody;
  /** Is called when the client disconnects. */
  listener: DisconnectListener | undefined;
  /** Whether bytes go on in both directions, each for itself. */
  isTunnel = false;
  /** Whether a call of the handler works on it. */
  isHandled = false;

  readonly #owner: StreamOwner;
  #state: StreamState = "idle";
  #disconnect: Disconnect | undefined;
  /** What the client was lost by. */
  #loss: Error | undefined;

  /** What is wrong with the content that came. */
  #fault: HttpError | undefined;
  #arrival: Arrival | undefined;
  /** For the end of a request that was answered early. */
  #endDeadline: DisposableDeadline | undefined;

  #outbound: OutboundBody | undefined;
  /** What follows the content that waits: nothing, or trailers. */
  #endsWith: "nothing" | readonly Field[] | undefined;
  #complete = false;
  #stall: Stall | undefined;

  /** Nothing has come yet. */
  constructor(
    owner: StreamOwner,
    { id, priority, sendWindow, body }: StreamStart,
  ) {
    this.#owner = owner;
    this.id = id;
    this.priority = priority;
    this.window = new SendWindow(id, sendWindow);
    this.body = body;
  }

  /** Whether nothing more is sent or received. */
  get ended(): boolean {
    return this.#state === "closed" || this.#state === "reset";
  }

  /** Whether it was ended by RST_STREAM of this side. */
  get wasReset(): boolean {
    return this.#state === "reset";
  }

  /** Whether all of the response was sent. */
  get complete(): boolean {
    return this.#complete;
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#disconnect;
  }

  /** How many bytes of content wait to be sent. */
  get waiting(): number {
    return this.#outbound?.waiting ?? 0;
  }

  // What comes.

  /**
   * Goes on to the state that an event leads to.
   *
   * @throws {Http2Error} If the client may not send this now.
   */
  advance(event: StreamEvent): void {
    this.#state = nextStreamState(this.id, this.#state, event);
    if (this.ended) this.#end();
  }

  /**
   * Takes a DATA frame.
   *
   * @throws {Http2Error} If it breaks a rule.
   */
  receiveData(frame: Frame, last: boolean): void {
    this.advance(last ? "received last DATA" : "received DATA");
    if (this.ended) return; // The response was complete before.
    try {
      this.body.add(frame);
      if (last) this.body.end();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#fault = error;
      this.body.drop();
    }
    this.#grant();
    this.#arrival?.came();
  }

  /**
   * The content has ended with the fields before it, or with trailers.
   *
   * @throws {Http2Error} If it is too short.
   */
  receiveEnd(): void {
    this.body.end();
    this.#arrival?.came();
  }

  /** The client has ended the stream, or cannot be reached any more. */
  end(reason: Error): void {
    this.#loss ??= reason;
    if (!this.ended) this.advance("received RST_STREAM");
  }

  /** As {@linkcode Http2Stream.end}, and says so to its listener. */
  lose(reason: Error): void {
    this.end(reason);
    if (this.#disconnect === "lost") return;
    this.#disconnect = "lost";
    this.listener?.disconnected("lost");
  }

  /** Resets the stream, because of what its client does or does not do. */
  cut(code: ErrorName, reason: Error): void {
    this.#loss ??= reason;
    this.reset(code);
    this.lose(reason);
  }

  /** The client sends no more, on any stream, and grants no more windows. */
  halfClosed(): void {
    if (!this.body.ended) return this.lose(new Error("The client has left"));
    this.#disconnect = "half-closed";
    this.listener?.disconnected("half-closed");
    this.endIfStuck();
  }

  /**
   * Takes content that has come; `undefined` if there is none.
   *
   * @throws {HttpError} 413 if it is too much.
   */
  takeContent(): Uint8Array | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    const chunk = this.body.take(MAX_CHUNK_BYTES);
    if (chunk === undefined) return undefined;
    this.#owner.wire.budgets.contentRead();
    this.#grant();
    return chunk;
  }

  /** Widens the client's window for what was taken, and for padding. */
  #grant(): void {
    const increment = this.ended ? 0 : this.body.takeUpdate();
    if (increment === 0) return;
    this.#owner.wire.frames.windowUpdate(this.id, increment);
    this.#owner.wire.flushSoon();
  }

  /**
   * Waits for content, or its end; for at most `ms` milliseconds.
   *
   * @throws {HttpError} 408 if nothing comes.
   * @throws Whatever the client was lost by.
   */
  async arrival(ms: number): Promise<void> {
    if (this.ended) throw this.#loss ?? new Error(ENDED);
    this.#arrival ??= new Arrival(() => this.#owner.createDeadline());
    await this.#arrival.wait(ms);
  }

  // What is sent.

  /**
   * Sends a header block; the last one ends the stream. It leaves with content
   * that follows at once, or with {@linkcode Http2Stream.sent}.
   */
  sendHeaders(fields: readonly Field[], last: boolean): void {
    if (this.#loss !== undefined) return;
    this.#owner.wire.headers(this.id, fields, last);
    if (last) this.#endsWith = "nothing";
    this.#sent(last ? "sent last HEADERS" : "sent HEADERS");
  }

  /**
   * Lets header blocks leave.
   *
   * @returns When there is room for more; `undefined` if there is.
   * @throws Whatever the client was lost by.
   */
  sent(): Promise<void> | undefined {
    if (this.#loss !== undefined) return handled(Promise.reject(this.#loss));
    const { wire } = this.#owner;
    wire.flushSoon();
    return wire.room();
  }

  /** Makes a deadline for a wait on this stream. */
  createDeadline(): DisposableDeadline {
    return this.#owner.createDeadline();
  }

  /**
   * Sends content; what has to wait is copied, unless it is `stable`: that must
   * not change until the promise resolves.
   *
   * @returns When there is room for more; `undefined` if there is.
   * @throws Whatever the client was lost by.
   */
  sendData(
    bytes: Uint8Array,
    last: boolean,
    stable = false,
  ): Promise<void> | undefined {
    const { wire } = this.#owner;
    const refusal = this.#loss ?? (this.#endsWith && new Error(ENDED));
    if (refusal !== undefined) return handled(Promise.reject(refusal));
    if (last) this.#endsWith = "nothing";
    if (this.waiting > 0 || !wire.takes(this.window, bytes.length)) {
      return this.#wait(stable ? bytes : copyBytes(bytes));
    }
    wire.data(this, bytes, last);
    this.#sent(last ? "sent last DATA" : "sent DATA");
    wire.flushSoon();
    return wire.room();
  }

  /** Sends trailers after all content, and ends the stream. */
  sendTrailers(fields: readonly Field[]): Promise<void> | undefined {
    if (this.#loss !== undefined) return handled(Promise.reject(this.#loss));
    this.#endsWith = fields;
    if (this.waiting > 0) return this.#outbound!.add(EMPTY);
    this.#sendLastHeaders(fields);
    this.#owner.wire.flushSoon();
    return undefined;
  }

  /** Ends the stream from this side; nothing that waits is sent. */
  reset(code: ErrorName): void {
    if (this.ended) return;
    const { wire } = this.#owner;
    wire.frames.rstStream(this.id, ERROR_CODES[code]);
    this.advance("sent RST_STREAM");
    wire.flushSoon();
  }

  /** Sends one frame of what waits. */
  sendTurn(maxBytes: number): void {
    const bytes = this.#outbound!.take(maxBytes);
    const done = this.waiting === 0;
    const last = done && this.#endsWith === "nothing";
    this.#owner.wire.data(this, bytes, last);
    this.#stall!.sent(bytes.length, this.waiting);
    this.#sent(last ? "sent last DATA" : "sent DATA");
    if (done && !last && this.#endsWith !== undefined) {
      this.#sendLastHeaders(this.#endsWith as readonly Field[]);
    }
  }

  #sendLastHeaders(fields: readonly Field[]): void {
    const { wire } = this.#owner;
    if (fields.length > 0) {
      wire.headers(this.id, fields, true);
      this.#sent("sent last HEADERS");
    } else {
      wire.data(this, EMPTY, true);
      this.#sent("sent last DATA");
    }
  }

  #wait(bytes: Uint8Array): Promise<void> {
    const outbound = this.#outbound ??= new OutboundBody();
    if (outbound.waiting === 0) this.#watch();
    const sent = outbound.add(bytes);
    this.#owner.wire.schedule(this);
    this.endIfStuck();
    return sent;
  }

  /** Begins to watch whether the client lets content through. */
  #watch(): void {
    const { writeTimeout, wire } = this.#owner;
    this.#stall ??= new Stall(this.createDeadline(), writeTimeout, () => {
      const message = "The client has granted no window for too long";
      this.cut("CANCEL", new Error(message));
    }, () => this.#isOpen ? wire.contentBytes : 0);
    this.#stall.begin();
  }

  /** Whether its own window lets it send. */
  get #isOpen(): boolean {
    return this.window.sendable(this.waiting) > 0;
  }

  /** Ends, if the client has ended: it will grant no more. */
  endIfStuck(): void {
    const { wire } = this.#owner;
    if (!wire.clientEnded || this.waiting === 0) return;
    const isOpen = this.#isOpen && wire.window.sendable(this.waiting) > 0;
    if (!isOpen) this.cut("CANCEL", new Error("The client has left"));
  }

  #sent(event: `sent ${"" | "last "}${"HEADERS" | "DATA"}`): void {
    if (event.startsWith("sent last")) this.#complete = true;
    this.advance(event);
    const isEarly = this.#state === "half-closed (local)" && !this.isTunnel;
    if (isEarly) this.#awaitClientEnd();
  }

  /** The rest of the request is not wanted, but mostly it is on its way. */
  #awaitClientEnd(): void {
    this.body.drop();
    if (!this.body.canEnd) return this.reset("NO_ERROR");
    this.#endDeadline ??= this.createDeadline();
    this.#endDeadline.arm(END_TIMEOUT_MS, () => this.reset("NO_ERROR"));
  }

  #end(): void {
    if (!this.#complete) this.#loss ??= new Error(ENDED);
    // An error takes long to make: mostly, nobody waits for any.
    const isAwaited = this.waiting > 0 || this.#arrival?.awaited;
    const reason = this.#loss ?? (isAwaited ? new Error(ENDED) : undefined);
    if (reason !== undefined) this.#outbound?.drop(reason);
    this.#arrival?.end(reason);
    this.body.drop();
    this.#stall?.end();
    this.#endDeadline?.[Symbol.dispose]();
    this.#owner.wire.scheduler.remove(this);
    this.#owner.ended(this);
  }
}

const EMPTY = new Uint8Array(0);
const ENDED = "The stream has ended";

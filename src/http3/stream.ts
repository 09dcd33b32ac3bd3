/**
 * One stream of a request (RFC 9114, section 4.1): what comes, what is sent, and
 * how it ends. It is given back to the client only when both directions are over;
 * so a request that is answered before it has come is read on, and dropped, for
 * some time. Only then is its client stopped, because the code of that can't be
 * chosen (RFC 9114, section 4.1, wants H3_NO_ERROR): some clients drop the answer.
 *
 * @module
 */

import { Arrival } from "../http/arrival.ts";
import type { Disconnect, DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import { fieldSize } from "../http/field_list.ts";
import type { MessageStream } from "../http/message_stream.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import { handled } from "../streams/handled.ts";
import type { Http3Options } from "./options.ts";
import { type RequestListener, RequestReader } from "./request_reader.ts";
import { ResponseWriter, type WriterHost } from "./response_writer.ts";
import type { QuicStream } from "./transport.ts";

/** What owns the streams of a connection. */
export interface StreamOwner {
  /** Limits and deadlines. */
  readonly options: Http3Options;
  /** The largest field section that the client accepts. */
  readonly maxFieldSectionSize: number;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
  /** Called with the fields of a request; `undefined` if they are too large. */
  headCame(stream: Http3Stream, section: Uint8Array | undefined): void;
  /** The same of trailers. */
  trailersCame(stream: Http3Stream, section: Uint8Array | undefined): void;
  /** Called when a frame has come that carries nothing. */
  idleFrameCame(): void;
  /** Called when fields have not come in time. */
  headTimedOut(stream: Http3Stream): void;
  /** Called when a client has cancelled a request, or stopped its response. */
  cancelled(stream: Http3Stream): void;
  /** Called when a response can't be completed; whether the client knows then. */
  cutShort(stream: Http3Stream): boolean;
  /** Called when a write takes too long. */
  stalled(): void;
  /** Called when the client has broken a rule. */
  failed(error: unknown): void;
  /** Called once, when both directions are over. */
  ended(stream: Http3Stream): void;
}

/** A stream that a client has begun. */
export class Http3Stream implements MessageStream, RequestListener, WriterHost {
  /** Its identifier. */
  readonly id: number;
  /** What comes. */
  readonly body: RequestReader;
  /** Is called when the client disconnects. */
  listener: DisconnectListener | undefined;
  /** Whether bytes go on in both directions, each for itself. */
  isTunnel = false;
  /** Whether a call of the handler works on it. */
  isHandled = false;
  /** Whether its priority came by PRIORITY_UPDATE, which outranks the field. */
  isReprioritized = false;

  readonly #quic: QuicStream;
  readonly #owner: StreamOwner;
  readonly #writer: ResponseWriter;
  #disconnect: Disconnect | undefined;
  #loss: Error | undefined;
  #complete = false;
  #arrival: Arrival | undefined;
  /** For the fields, and then for the end of a request that was answered. */
  #deadline: DisposableDeadline | undefined;
  #ended = false;

  /** Nothing is read yet. */
  constructor(quic: QuicStream, owner: StreamOwner) {
    this.id = quic.id;
    this.#quic = quic;
    this.#owner = owner;
    this.#writer = new ResponseWriter(quic, this);
    const { maxHeaderBytes } = owner.options;
    this.body = new RequestReader(quic.readable, maxHeaderBytes, this);
  }

  /** Begins to read. */
  begin(): void {
    this.#deadline = this.createDeadline();
    this.#deadline.arm(
      this.#owner.options.headerTimeout,
      () => this.#owner.headTimedOut(this),
    );
    this.body.begin();
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#disconnect;
  }

  /** Whether both directions are over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether all of the response was sent, or the request cannot be answered. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Streams with a higher one are sent first. */
  set sendOrder(order: number) {
    this.#quic.sendOrder = order;
  }

  /** How long one write may take. */
  get writeTimeout(): number {
    return this.#owner.options.writeTimeout;
  }

  /** Makes a deadline for a wait on this stream. */
  createDeadline(): DisposableDeadline {
    return this.#owner.createDeadline();
  }

  // What comes.

  /** Called by the reader. */
  headCame(section: Uint8Array | undefined): void {
    if (this.#complete) return; // It was too slow.
    this.#deadline?.disarm();
    this.#owner.headCame(this, section);
  }

  /** Called by the reader. */
  trailersCame(section: Uint8Array | undefined): void {
    this.#owner.trailersCame(this, section);
  }

  /** Called by the reader. */
  contentCame(): void {
    this.#arrival?.came();
  }

  /** Called by the reader. */
  idleFrameCame(): void {
    this.#owner.idleFrameCame();
  }

  /** Called by the reader. */
  failed(error: unknown): void {
    this.#owner.failed(error);
  }

  /** Called by the reader: the client wants no response, or is lost. */
  cancelled(reason: Error): void {
    if (this.#complete) return;
    this.lose(reason);
    this.#owner.cancelled(this);
  }

  /** Called by the reader. */
  inboundEnded(): void {
    // Nothing was asked for that could be answered.
    if (!this.body.hasHead) this.#writer.end();
    this.#endIfOver();
  }

  /**
   * Takes content that has come; `undefined` if there is none.
   *
   * @throws {HttpError} If it is malformed, or too much.
   */
  takeContent(): Uint8Array | undefined {
    return this.body.take();
  }

  /**
   * Waits for content, or its end; for at most `ms` milliseconds.
   *
   * @throws {HttpError} 408 if nothing comes.
   * @throws Whatever the client was lost by.
   */
  async arrival(ms: number): Promise<void> {
    if (this.#loss !== undefined) throw this.#loss;
    this.#arrival ??= new Arrival(() => this.createDeadline());
    await this.#arrival.wait(ms);
  }

  // What is sent.

  /**
   * Checks that the client accepts fields.
   *
   * @throws {RangeError} If they are too large for it.
   */
  checkSize(fields: readonly Field[]): void {
    const { maxFieldSectionSize } = this.#owner;
    if (maxFieldSectionSize === Infinity) return;
    let size = 0;
    for (const [name, value] of fields) size += fieldSize(name, value);
    if (size <= maxFieldSectionSize) return;
    throw new RangeError(
      `Cannot send fields of ${size} bytes: the client accepts ${maxFieldSectionSize}`,
    );
  }

  /** Sends fields; the last ones end the stream. */
  sendHeaders(fields: readonly Field[], last: boolean): void {
    if (this.#loss !== undefined) return;
    this.#writer.fields(fields);
    if (last) this.#finish();
  }

  /**
   * Lets fields leave.
   *
   * @returns When there is room for more; `undefined` if there is.
   * @throws Whatever the client was lost by.
   */
  sent(): Promise<void> | undefined {
    if (this.#loss !== undefined) return handled(Promise.reject(this.#loss));
    return this.#writer.room();
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
    if (this.#loss !== undefined) return handled(Promise.reject(this.#loss));
    const room = this.#writer.data(bytes, stable);
    if (last) this.#finish();
    return room;
  }

  /** Sends trailers after all content, and ends the stream. */
  sendTrailers(fields: readonly Field[]): Promise<void> | undefined {
    if (this.#loss !== undefined) return handled(Promise.reject(this.#loss));
    try {
      this.checkSize(fields);
    } catch (error) {
      this.reset("INTERNAL_ERROR");
      throw error;
    }
    if (fields.length > 0) this.#writer.fields(fields);
    this.#finish();
    return this.#writer.room();
  }

  /** All was sent: what else comes is of no use. */
  #finish(): void {
    this.#complete = true;
    this.#writer.end();
    if (!this.isTunnel) this.#dropRest();
  }

  #dropRest(): void {
    if (this.body.over) return;
    this.body.drop();
    if (this.body.over) return;
    this.#deadline ??= this.createDeadline();
    const { drainTimeout } = this.#owner.options;
    this.#deadline.arm(drainTimeout, () => this.body.stop());
  }

  /** Lets a client be noticed that does not want the response any more. */
  probe(): void {
    if (this.isHandled && !this.isTunnel) this.#writer.probe();
  }

  // The end.

  /**
   * Ends the response so that it is not taken for whole; a tunnel, as if it were
   * over.
   */
  reset(code: "INTERNAL_ERROR" | "CANCEL"): void {
    if (this.#ended) return;
    this.#complete = true;
    if (code === "CANCEL") {
      this.#writer.end();
      this.body.stop();
    } else if (!this.#writer.ending && !this.#owner.cutShort(this)) {
      this.#writer.poison();
      this.#dropRest();
    }
  }

  /** The same, and whatever waits on the stream fails with `reason`. */
  cut(code: "CANCEL", reason: Error): void {
    this.#loss ??= reason;
    this.reset(code);
    this.lose(reason);
  }

  /** The client cannot be reached any more on this stream. */
  lose(reason: Error): void {
    if (this.#disconnect === "lost") return;
    this.#disconnect = "lost";
    this.#loss ??= reason;
    this.#arrival?.end(reason);
    this.#writer.end();
    this.body.stop();
    this.listener?.disconnected("lost");
  }

  /** Called by the writer. */
  stalled(): void {
    this.#owner.stalled();
  }

  /** Called by the writer: the client has stopped the response, or is lost. */
  outboundLost(reason: Error): void {
    this.lose(reason);
    this.#owner.cancelled(this);
  }

  /** Called by the writer. */
  outboundEnded(): void {
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#ended || !this.body.over || !this.#writer.over) return;
    this.#ended = true;
    this.#deadline?.[Symbol.dispose]();
    this.#arrival?.end(new Error("The stream has ended"));
    this.#owner.ended(this);
  }
}

/**
 * A QUIC connection, and its streams.
 *
 * Deno ends a stream that is garbage as if it were whole, so all that are open
 * are referenced by their connection, until both of their directions are over.
 *
 * @module
 */

import { giveWay } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { ConnectionMeter } from "./connection.ts";
import type { CoarseDeadline, DeadlineClock } from "./deadlines.ts";

/** The buffer of the first read: most requests fit into it. */
const MIN_READ_BYTES = 2 * 1024;
const MAX_READ_BYTES = 64 * 1024;
/** A read counts as one step, and as one more for this many bytes. */
const BYTES_PER_STEP = 2 * 1024;

/** What connections have in common. */
export interface QuicConnectionOptions {
  /** The clock of their deadlines. */
  readonly clock: DeadlineClock;
  /** Counts their bytes. */
  readonly meter?: ConnectionMeter | undefined;
}

/** How a connection has ended. */
export interface QuicClose {
  /** The code of who has closed it; `undefined` if it was lost. */
  readonly code: number | undefined;
  /** Why; it may hold the words of the client. */
  readonly reason: string;
}

/** A connection whose handshake is complete. */
export class QuicConnection {
  /** The address that the client has connected to, as it is bound. */
  readonly localAddr: Deno.NetAddr;
  /** Resolves when it was closed by either side, or lost; never rejects. */
  readonly closed: Promise<QuicClose>;

  readonly #conn: Deno.QuicConn;
  readonly #options: QuicConnectionOptions;
  readonly #streams: ReadableStreamDefaultReader<Deno.QuicBidirectionalStream>;
  readonly #unidirectional: ReadableStreamDefaultReader<Deno.QuicReceiveStream>;
  /** Keeps streams from being garbage. */
  readonly #open = new Set<object>();
  #remoteAddr: Deno.NetAddr;
  /** How it was closed by this side. */
  #close: QuicClose | undefined;

  /** Takes over a connection, which nothing else may close. */
  constructor(conn: Deno.QuicConn, options: QuicConnectionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#remoteAddr = conn.remoteAddr;
    this.localAddr = conn.endpoint.addr;
    this.#streams = conn.incomingBidirectionalStreams.getReader();
    this.#unidirectional = conn.incomingUnidirectionalStreams.getReader();
    this.closed = conn.closed.then(
      ({ closeCode: code, reason }) => this.#ended({ code, reason }),
      ({ message: reason }) => this.#ended({ code: undefined, reason }),
    );
  }

  /** The client's address; it may change while the connection is open. */
  get remoteAddr(): Deno.NetAddr {
    if (this.#close !== undefined) return this.#remoteAddr;
    try {
      return this.#remoteAddr = this.#conn.remoteAddr;
    } catch {
      return this.#remoteAddr; // It is lost, and `closed` will say so.
    }
  }

  /** The client's next stream in both directions; `undefined` at the end. */
  acceptStream(): Promise<QuicStream | undefined> {
    return accept(this.#streams, ({ readable, writable }) => {
      const hold = new Hold(this.#open, 2);
      const received = new QuicReceiveStream(readable, hold, this.#meter);
      const sent = new QuicSendStream(writable, hold, this.#meter);
      return new QuicStream(received, sent);
    });
  }

  /** The client's next stream in its own direction; `undefined` at the end. */
  acceptUnidirectional(): Promise<QuicReceiveStream | undefined> {
    return accept(
      this.#unidirectional,
      (stream) =>
        new QuicReceiveStream(stream, new Hold(this.#open, 1), this.#meter),
    );
  }

  /**
   * Opens a stream in this side's direction, once the client allows one more.
   *
   * @throws If the connection has ended before.
   */
  async openUnidirectional(): Promise<QuicSendStream> {
    const stream = await this.#conn.createUnidirectionalStream({
      waitUntilAvailable: true,
    });
    return new QuicSendStream(stream, new Hold(this.#open, 1), this.#meter);
  }

  /** Closes it and its streams at once; idempotent. */
  close(code: number, reason: string): void {
    if (this.#close !== undefined) return;
    // Deno reports a close by this side without its code.
    this.#remoteAddr = this.#conn.remoteAddr;
    this.#close = { code, reason };
    this.#conn.close({ closeCode: code, reason });
  }

  /** Makes a deadline, for as long as it is needed. */
  createDeadline(): CoarseDeadline {
    return this.#options.clock.create();
  }

  get #meter(): ConnectionMeter | undefined {
    return this.#options.meter;
  }

  #ended(close: QuicClose): QuicClose {
    this.#close ??= close;
    this.#open.clear();
    return this.#close;
  }
}

/**
 * The next of what a client has opened, taken over. A connection that is lost has
 * no more: `closed` says why.
 */
async function accept<T, U>(
  reader: ReadableStreamDefaultReader<T>,
  takeOver: (stream: T) => U,
): Promise<U | undefined> {
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) return undefined;
      const taken = unlessLost(() => takeOver(value));
      if (taken !== undefined) return taken;
    }
  } catch {
    return undefined;
  }
}

/** What Deno had accepted ahead can be lost with its connection. */
function unlessLost<T>(takeOver: () => T): T | undefined {
  try {
    return takeOver();
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) return undefined;
    throw error;
  }
}

/** References a stream until its directions are over. */
class Hold {
  /** What is kept from being garbage. */
  readonly held: object[] = [];

  readonly #open: Set<object>;
  #directions: number;

  constructor(open: Set<object>, directions: number) {
    this.#open = open;
    this.#directions = directions;
    open.add(this);
  }

  /** One direction is over. */
  release(): void {
    if (--this.#directions <= 0) this.#open.delete(this);
  }
}

/** A stream on which the client sends. */
export class QuicReceiveStream {
  /** Its identifier. */
  readonly id: number;
  /** What the client sends, read when it is asked for; its cancel stops the client. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;

  readonly #reader: ReadableStreamBYOBReader;
  readonly #hold: Hold;
  readonly #meter: ConnectionMeter | undefined;
  #size = MIN_READ_BYTES;
  #lastRead = 0;
  #over = false;

  /** Takes over a stream, which `hold` references. */
  constructor(
    stream: Deno.QuicReceiveStream,
    hold: Hold,
    meter: ConnectionMeter | undefined,
  ) {
    this.id = Number(stream.id);
    this.#reader = stream.getReader({ mode: "byob" });
    this.#hold = hold;
    this.#meter = meter;
    hold.held.push(this.#reader);
    this.readable = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
  }

  async #pull(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const share = this.#lastRead === 0
      ? undefined
      : giveWay(1 + Math.floor(this.#lastRead / BYTES_PER_STEP));
    if (share !== undefined) await share;
    try {
      const { value } = await this.#reader.read(new Uint8Array(this.#size));
      if (this.#over) return;
      if (value === undefined || value.length === 0) {
        this.#end();
        controller.close();
      } else this.#take(value, controller);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #take(
    chunk: Uint8Array<ArrayBuffer>,
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): void {
    const { length } = chunk;
    if (this.#meter !== undefined) this.#meter.bytesReceived += length;
    this.#lastRead = length;
    if (length === this.#size) {
      this.#size = Math.min(4 * this.#size, MAX_READ_BYTES);
    }
    controller.enqueue(chunk);
  }

  async #cancel(): Promise<void> {
    this.#end();
    try {
      await this.#reader.cancel();
    } catch {
      // The connection is lost, and with it the stream.
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hold.release();
  }
}

/** A stream on which this side sends. */
export class QuicSendStream {
  /** Its identifier. */
  readonly id: number;

  readonly #stream: Deno.QuicSendStream;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #hold: Hold;
  readonly #meter: ConnectionMeter | undefined;
  #over = false;

  /** Takes over a stream, which `hold` references. */
  constructor(
    stream: Deno.QuicSendStream,
    hold: Hold,
    meter: ConnectionMeter | undefined,
  ) {
    this.id = Number(stream.id);
    this.#stream = stream;
    this.#writer = stream.getWriter();
    this.#hold = hold;
    this.#meter = meter;
    hold.held.push(this.#writer);
    // What it rejects with, so do the writes.
    handled(this.#writer.closed);
  }

  /** Streams with a higher one are sent first. */
  get sendOrder(): number {
    return this.#stream.sendOrder;
  }

  set sendOrder(order: number) {
    this.#stream.sendOrder = order;
  }

  /**
   * Resolves when flow control has let all bytes through.
   *
   * @throws If the client has stopped the stream, or the connection is lost.
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(bytes);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (this.#meter !== undefined) this.#meter.bytesSent += bytes.length;
  }

  /**
   * Ends the stream, after all that was written.
   *
   * @throws If the client has stopped the stream, or the connection is lost.
   */
  async closeWrite(): Promise<void> {
    try {
      await this.#writer.close();
    } finally {
      this.#end();
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hold.release();
  }
}

/** A stream in both directions. */
export class QuicStream {
  /** Its identifier. */
  readonly id: number;
  /** What the client sends, read when it is asked for; its cancel stops the client. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;

  readonly #sent: QuicSendStream;

  /** Made of its two directions. */
  constructor(received: QuicReceiveStream, sent: QuicSendStream) {
    this.id = sent.id;
    this.readable = received.readable;
    this.#sent = sent;
  }

  /** Streams with a higher one are sent first. */
  get sendOrder(): number {
    return this.#sent.sendOrder;
  }

  set sendOrder(order: number) {
    this.#sent.sendOrder = order;
  }

  /** As that of {@linkcode QuicSendStream}. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#sent.write(bytes);
  }

  /** As that of {@linkcode QuicSendStream}. */
  closeWrite(): Promise<void> {
    return this.#sent.closeWrite();
  }
}

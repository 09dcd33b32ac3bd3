// A QUIC connection in memory: the test plays the client, its flow control, and
// the clock. What the server does on it is kept. It is as poor as Deno's: the
// server can't reset a stream, and learns of STOP_SENDING by its next write.

import type {
  QuicClose,
  QuicReceiveStream,
  QuicStream,
  QuicTransport,
} from "../../src/http3/transport.ts";
import { ManualDeadline } from "../http/_memory_transport.ts";
import { settledSoon } from "../_turns.ts";

/** The direction from the client to the server. */
export class Inbound {
  readonly readable: ReadableStream<Uint8Array>;
  /** Whether the server has sent STOP_SENDING. */
  stopped = false;
  /** How many bytes the server has read. */
  taken = 0;
  readonly #queue: Uint8Array[] = [];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #pulled: (() => void) | undefined;
  #ending = false;
  #over = false;

  constructor() {
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => {
        this.stopped = true;
        this.#over = true;
      },
    }, { highWaterMark: 0 });
  }

  /** Whether the server has read all, or wants no more. */
  get over(): boolean {
    return this.#over;
  }

  /** How many bytes the server has left unread. */
  get unread(): number {
    return this.#queue.reduce((sum, { length }) => sum + length, 0);
  }

  /** Sends bytes; they arrive by one read. */
  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#deliver();
  }

  /** Sends FIN. */
  end(): void {
    this.#ending = true;
    this.#deliver();
  }

  /** Sends RESET_STREAM: what was not read is lost. */
  reset(message: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(new Error(message));
    this.#release();
  }

  async #pull(): Promise<void> {
    if (this.#deliverOne()) return;
    await new Promise<void>((resolve) => this.#pulled = resolve);
  }

  #deliver(): void {
    if (this.#pulled !== undefined && this.#deliverOne()) this.#release();
  }

  #release(): void {
    this.#pulled?.();
    this.#pulled = undefined;
  }

  #deliverOne(): boolean {
    if (this.#over) return true;
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.taken += chunk.length;
      this.#controller.enqueue(chunk);
    } else if (this.#ending) {
      this.#over = true;
      this.#controller.close();
    } else return false;
    return true;
  }
}

/** The direction from the server to the client. */
export class Outbound {
  sendOrder = 0;
  /** What the server has written. */
  readonly writes: Uint8Array[] = [];
  /** Whether the server has sent FIN. */
  ended = false;
  /** How many more bytes the client's flow control lets through. */
  window = Infinity;
  #failure: Error | undefined;
  #grown: PromiseWithResolvers<void> | undefined;

  /** All that the server has written. */
  get bytes(): Uint8Array {
    const all = new Uint8Array(
      this.writes.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const one of this.writes) {
      all.set(one, at);
      at += one.length;
    }
    return all;
  }

  /** Lets more bytes through. */
  grow(bytes: number): void {
    this.window += bytes;
    this.#grown?.resolve();
  }

  /** Sends STOP_SENDING, or loses the connection: writes fail from now on. */
  fail(message: string): void {
    this.#failure ??= new Error(message);
    this.#grown?.resolve();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.ended) throw new Error("The stream was closed");
    let rest = bytes;
    do {
      while (this.window === 0 && this.#failure === undefined) {
        this.#grown = Promise.withResolvers();
        await this.#grown.promise;
      }
      if (this.#failure !== undefined) throw this.#failure;
      const length = Math.min(rest.length, this.window);
      this.window -= length;
      this.writes.push(rest.slice(0, length));
      rest = rest.subarray(length);
    } while (rest.length > 0);
  }

  closeWrite(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.ended = true;
    return Promise.resolve();
  }
}

/** A stream of the client, as both sides see it. */
export class MemoryStream implements QuicStream {
  readonly id: number;
  readonly inbound: Inbound = new Inbound();
  readonly outbound: Outbound = new Outbound();

  constructor(id: number) {
    this.id = id;
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.inbound.readable;
  }
  get sendOrder(): number {
    return this.outbound.sendOrder;
  }
  set sendOrder(order: number) {
    this.outbound.sendOrder = order;
  }
  write(bytes: Uint8Array): Promise<void> {
    return this.outbound.write(bytes);
  }
  closeWrite(): Promise<void> {
    return this.outbound.closeWrite();
  }
}

/** Streams that wait to be accepted. */
class Arrivals<T> {
  readonly #queue: T[] = [];
  #waiting: ((item: T | undefined) => void) | undefined;
  #over = false;

  add(item: T): void {
    if (this.#waiting === undefined) this.#queue.push(item);
    else this.#waiting(item);
    this.#waiting = undefined;
  }

  end(): void {
    this.#over = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }

  accept(): Promise<T | undefined> {
    const next = this.#queue.shift();
    if (next !== undefined || this.#over) return Promise.resolve(next);
    return new Promise((resolve) => this.#waiting = resolve);
  }
}

/** A connection between a test and a server. */
export class MemoryQuic implements QuicTransport {
  readonly clock = { now: 0 };
  readonly deadlines: Set<ManualDeadline> = new Set();
  /** Streams that the server has opened. */
  readonly opened: Outbound[] = [];
  /** How it was closed, if it was. */
  close_: QuicClose | undefined;
  /** Whether the client lets the server open streams. */
  allowsStreams = true;
  readonly #streams: MemoryStream[] = [];
  readonly #arrivals = new Arrivals<QuicStream>();
  readonly #unidirectional = new Arrivals<QuicReceiveStream>();
  readonly #inbounds: Inbound[] = [];
  readonly #closed = Promise.withResolvers<QuicClose>();
  #nextUnidirectional = 2;

  get closed(): Promise<QuicClose> {
    return this.#closed.promise;
  }

  // The client's side.

  /** Opens a stream in both directions. */
  open(): MemoryStream {
    const stream = new MemoryStream(4 * this.#streams.length);
    this.#streams.push(stream);
    this.#inbounds.push(stream.inbound);
    this.#arrivals.add(stream);
    return stream;
  }

  /** Opens a stream in the client's direction. */
  openOneWay(): Inbound {
    const inbound = new Inbound();
    this.#inbounds.push(inbound);
    const { readable } = inbound;
    this.#unidirectional.add({ id: this.#nextUnidirectional, readable });
    this.#nextUnidirectional += 4;
    return inbound;
  }

  /** The client closes the connection, or it is lost. */
  end(close: QuicClose = { code: 0x100, reason: "" }): void {
    if (this.close_ !== undefined) return;
    this.close_ = close;
    this.#arrivals.end();
    this.#unidirectional.end();
    for (const inbound of this.#inbounds) inbound.reset("connection lost");
    for (const { outbound } of this.#streams) outbound.fail("connection lost");
    for (const outbound of this.opened) outbound.fail("connection lost");
    this.#closed.resolve(close);
  }

  /** Lets time pass, and deadlines expire in their order. */
  async passTime(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    for (;;) {
      await settledSoon();
      const next = [...this.deadlines].reduce<ManualDeadline | undefined>(
        (first, one) => one.due < (first?.due ?? Infinity) ? one : first,
        undefined,
      );
      if (next === undefined || next.due > end) break;
      this.clock.now = next.due;
      next.expire();
    }
    this.clock.now = end;
    await settledSoon();
  }

  // The server's side.

  acceptStream(): Promise<QuicStream | undefined> {
    return this.#arrivals.accept();
  }

  acceptUnidirectional(): Promise<QuicReceiveStream | undefined> {
    return this.#unidirectional.accept();
  }

  async openUnidirectional(): Promise<Outbound & { readonly id: number }> {
    if (!this.allowsStreams) await this.closed;
    if (this.close_ !== undefined) throw new Error("connection lost");
    const id = 4 * this.opened.length + 3;
    const outbound = Object.assign(new Outbound(), { id });
    this.opened.push(outbound);
    return outbound;
  }

  close(code: number, reason: string): void {
    this.end({ code, reason });
  }

  createDeadline(): ManualDeadline {
    const deadline = new ManualDeadline(
      this.clock,
      () => this.deadlines.delete(deadline),
    );
    this.deadlines.add(deadline);
    return deadline;
  }
}

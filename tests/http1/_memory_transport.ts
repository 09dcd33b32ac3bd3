// A `Transport` in memory: the test plays the client and the clock. Chunks that
// it pushes arrive one a read; what the server writes is kept; deadlines expire
// when the test says so. `serveInMemory` runs an `Http1Connection` over it.
//
// It can misbehave as sockets do: take a write piece by piece, slowly, or not at
// all, deliver chunks late, and fail at any byte. What waits to be written is
// copied only when it is taken, so that bytes that change meanwhile show.

import {
  type ExchangeHandler,
  Http1Connection,
} from "../../src/http1/connection.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import {
  DEFAULT_HTTP1_OPTIONS,
  type Http1Options,
} from "../../src/http1/options.ts";
import type { Transport } from "../../src/http/transport.ts";
import type { DisposableDeadline } from "../../src/streams/deadline.ts";
import { bytes, text } from "../_feeding.ts";

/** A deadline that expires by hand. */
export class ManualDeadline implements DisposableDeadline {
  readonly #onDispose: () => void;
  #onExpiry: (() => void) | undefined;
  /** What it is armed for, in milliseconds; `undefined` if it is not. */
  armed: number | undefined;

  constructor(onDispose = () => {}) {
    this.#onDispose = onDispose;
  }

  arm(ms: number, onExpiry: () => void): void {
    this.armed = ms;
    this.#onExpiry = onExpiry;
  }

  disarm(): void {
    this.armed = undefined;
    this.#onExpiry = undefined;
  }

  [Symbol.dispose](): void {
    this.disarm();
    this.#onDispose();
  }

  /** Lets the time pass; fails if nobody waits for it. */
  expire(): void {
    const onExpiry = this.#onExpiry;
    if (onExpiry === undefined) throw new Error("The deadline is not armed");
    this.disarm();
    onExpiry();
  }
}

/** How a transport misbehaves; by default it does not. */
export interface Misbehaviour {
  /** How many bytes of a write are taken at once, at most. Default: all. */
  readonly piece?: number;
  /** Microtasks before each piece is taken, one number after the other. Default: none. */
  readonly writeDelays?: readonly number[];
  /** Microtasks before each chunk arrives, one number after the other. Default: none. */
  readonly readDelays?: readonly number[];
  /** How many bytes are taken before writes fail. Default: no limit. */
  readonly brokenAfter?: number;
}

/** A connection between a test and a server. */
export class MemoryTransport implements Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly readDeadline = new ManualDeadline();
  /** Those that were made besides, and not given back. */
  readonly deadlines = new Set<ManualDeadline>();
  /** What became of the server's side, in order; no two writes in a row. */
  readonly events: ("write" | "closeWrite" | "endRead" | "close")[] = [];
  /** How many writes have succeeded. */
  writes = 0;
  /** How many chunks were read. */
  reads = 0;

  readonly #queue: Uint8Array[] = [];
  #writeError = new Error("Broken pipe");
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #pulled: (() => void) | undefined;
  #ending = false;
  #readEnded = false;
  #writeEnded = false;
  #output = "";
  #gate: Promise<void> | undefined;
  #openGate: () => void = () => {};
  readonly #piece: number;
  readonly #brokenAfter: number;
  readonly #writeDelay: (() => Promise<void>) | undefined;
  readonly #readDelay: (() => Promise<void>) | undefined;

  constructor(misbehaviour: Misbehaviour = {}) {
    const { piece = Infinity, brokenAfter = Infinity } = misbehaviour;
    this.#piece = piece;
    this.#brokenAfter = brokenAfter;
    this.#writeDelay = delays(misbehaviour.writeDelays);
    this.#readDelay = delays(misbehaviour.readDelays);
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
    }, { highWaterMark: 0 });
  }

  // The client's side.

  /** What the server has written, as a byte string. */
  get output(): string {
    return this.#output;
  }

  /** Whether the server has closed the connection. */
  get closed(): boolean {
    return this.events.includes("close");
  }

  /** Whether the server has said that it writes no more. */
  get writeClosed(): boolean {
    return this.events.includes("closeWrite");
  }

  /** Sends chunks; each arrives by a read of its own. */
  push(...chunks: string[]): void {
    this.pushAll(chunks);
  }

  /** Sends any number of chunks; each arrives by a read of its own. */
  pushAll(chunks: readonly string[]): void {
    for (const chunk of chunks) this.#queue.push(bytes(chunk));
    this.#deliver();
  }

  /** Sends no more: a half close, as it may be the end of it all. */
  end(): void {
    this.#ending = true;
    this.#deliver();
  }

  /** Resets the connection: reads and writes fail. */
  lose(error: Error = new Error("Connection reset")): void {
    this.#writeEnded = true;
    this.#openGate();
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#controller.error(error);
  }

  /** Makes writes fail, while reads wait on. */
  breakWrites(error: Error = new Error("Broken pipe")): void {
    this.#writeError = error;
    this.#writeEnded = true;
    this.#openGate();
  }

  /** Takes no more of what the server writes, until `acceptWrites`. */
  stallWrites(): void {
    this.#gate = new Promise((resolve) => this.#openGate = resolve);
  }

  /** Takes what the server writes again. */
  acceptWrites(): void {
    this.#openGate();
    this.#gate = undefined;
  }

  // The server's side.

  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    do {
      if (this.#gate !== undefined) await this.#gate;
      if (this.#writeDelay !== undefined) await this.#writeDelay();
      rest = this.#take(rest);
    } while (rest.length > 0);
    this.writes++;
  }

  /** Takes the start of what is written; returns the rest. */
  #take(bytes: Uint8Array): Uint8Array {
    const room = this.#brokenAfter - this.#output.length;
    if (this.#writeEnded || room === 0) throw this.#writeError;
    const length = Math.min(bytes.length, this.#piece, room);
    this.#output += text(bytes.subarray(0, length));
    if (this.events.at(-1) !== "write") this.events.push("write");
    return bytes.subarray(length);
  }

  closeWrite(): Promise<void> {
    if (this.#writeEnded) return Promise.reject(new Error("Broken pipe"));
    this.#writeEnded = true;
    this.events.push("closeWrite");
    return Promise.resolve();
  }

  endRead(reason?: Error): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.events.push("endRead");
    if (reason === undefined) this.#controller.close();
    else this.#controller.error(reason);
    this.#release();
  }

  close(): void {
    if (this.closed) return;
    this.events.push("close");
    this.#writeEnded = true;
    this.readDeadline.disarm();
    this.#openGate();
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#controller.error(new Error("The connection was closed"));
    this.#release();
  }

  createDeadline(): ManualDeadline {
    const deadline = new ManualDeadline(() => this.deadlines.delete(deadline));
    this.deadlines.add(deadline);
    return deadline;
  }

  async #pull(): Promise<void> {
    if (this.#readDelay !== undefined) await this.#readDelay();
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
    if (this.#readEnded) return true;
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.reads++;
      this.#controller.enqueue(chunk);
    } else if (this.#ending) {
      this.#readEnded = true;
      this.#controller.close();
    } else {
      return false;
    }
    return true;
  }
}

/** Waits for so many microtasks, which lets everything else that is due run. */
export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** Waits each time for the next number of microtasks, and then from the start. */
function delays(
  counts: readonly number[] | undefined,
): (() => Promise<void>) | undefined {
  if (counts === undefined) return undefined;
  let next = 0;
  return () => microtasks(counts[next++ % counts.length]);
}

/** A connection that is being served, and what happened on it so far. */
export interface InMemory {
  readonly transport: MemoryTransport;
  readonly connection: Http1Connection;
  /** What `run` does: settles when the connection is closed. */
  readonly done: Promise<unknown>;
  /** The exchanges that were handled, in order. */
  readonly exchanges: readonly Http1Exchange[];
}

/** Serves a connection in memory, with the defaults unless options are given. */
export function serveInMemory(
  handler: ExchangeHandler = echo,
  options: Partial<Http1Options> = {},
  misbehaviour: Misbehaviour = {},
): InMemory {
  const transport = new MemoryTransport(misbehaviour);
  const exchanges: Http1Exchange[] = [];
  const connection = new Http1Connection(transport, (exchange) => {
    exchanges.push(exchange);
    return handler(exchange);
  }, { ...DEFAULT_HTTP1_OPTIONS, dateHeader: false, ...options });
  const done = connection.run();
  done.catch(() => {});
  return { transport, connection, done, exchanges };
}

/**
 * Answers with the method, the path and the content of the request; refuses a
 * request whose content is malformed.
 */
export async function echo(exchange: Http1Exchange): Promise<void> {
  const content = await readContent(exchange);
  if (content === undefined) return;
  const { method, target } = exchange.request;
  await respond(exchange, `${method} ${target.path} ${content}`);
}

/** Reads the content; `undefined` if the request was refused for it. */
export async function readContent(
  exchange: Http1Exchange,
): Promise<string | undefined> {
  let content = "";
  try {
    for (;;) {
      const chunk = await exchange.readBody();
      if (chunk === null) return content;
      content += text(chunk);
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    await exchange.refuse(error.status);
  }
}

/** Answers with 200 and some content of a known length. */
export async function respond(
  exchange: Http1Exchange,
  content: string,
): Promise<void> {
  exchange.head(200, [["content-length", String(content.length)]]);
  await exchange.data(bytes(content), true);
}

/** Waits for a promise, but no longer than a test should last. */
export async function within<T>(promise: Promise<T>, ms = 5_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

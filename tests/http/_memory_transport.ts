// A `Transport` in memory: the test plays the client and the clock. Chunks that
// it pushes arrive one a read, in memory that is used again for the next one;
// what the server writes is kept; deadlines expire when the test says so.
//
// It can misbehave as sockets do: take a write piece by piece, slowly, or not at
// all, deliver chunks late, and fail at any byte. What waits to be written is
// copied only when it is taken, so that bytes that change meanwhile show.

import type { Transport } from "../../src/http/transport.ts";
import type { DisposableDeadline } from "../../src/streams/deadline.ts";
import { bytes, text } from "../_feeding.ts";
import { settledSoon } from "../_turns.ts";

/** The time in milliseconds, as the test lets it pass. */
interface ManualClock {
  now: number;
}

/** A deadline that expires by hand, or as the test lets time pass. */
export class ManualDeadline implements DisposableDeadline {
  readonly #clock: ManualClock;
  readonly #onDispose: () => void;
  #onExpiry: (() => void) | undefined;
  /** What it is armed for, in milliseconds; `undefined` if it is not. */
  armed: number | undefined;
  /** When it expires, by the clock of its transport; `Infinity` for never. */
  due = Infinity;

  constructor(clock: ManualClock, onDispose = () => {}) {
    this.#clock = clock;
    this.#onDispose = onDispose;
  }

  arm(ms: number, onExpiry: () => void): void {
    this.armed = ms;
    this.due = this.#clock.now + ms;
    this.#onExpiry = onExpiry;
  }

  disarm(): void {
    this.armed = undefined;
    this.due = Infinity;
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
  /** Goes on when the test calls {@linkcode MemoryTransport.passTime}. */
  readonly clock: ManualClock = { now: 0 };
  readonly readDeadline = new ManualDeadline(this.clock);
  /** Those that were made besides, and not given back. */
  readonly deadlines = new Set<ManualDeadline>();
  /** What became of the server's side, in order; no two writes in a row. */
  readonly events: ("write" | "closeWrite" | "endRead" | "close")[] = [];
  /** Whether a close would lose nothing: the test says so. */
  closesCleanly = false;
  /** How many writes have succeeded. */
  writes = 0;
  /** How many chunks were read. */
  reads = 0;
  /** Called with what the server has written, as it is taken. */
  onTaken: ((bytes: Uint8Array) => void) | undefined;
  /** Called when the server has said that it writes no more, or has closed. */
  onEnded: (() => void) | undefined;

  readonly #queue: Uint8Array[] = [];
  /** The chunk that was read last. */
  #lent: Uint8Array | undefined;
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
    this.pushBytes(...chunks.map((chunk) => bytes(chunk)));
  }

  /** As {@linkcode MemoryTransport.push}; the chunks are the server's then. */
  pushBytes(...chunks: Uint8Array[]): void {
    this.#queue.push(...chunks);
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

  /**
   * Lets time pass, and deadlines expire in their order; all that can happen
   * between two of them does.
   */
  async passTime(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    for (;;) {
      await settledSoon();
      const next = [this.readDeadline, ...this.deadlines]
        .reduce((first, one) => one.due < first.due ? one : first);
      if (next.due > end) break;
      this.clock.now = next.due;
      next.expire();
    }
    this.clock.now = end;
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
    const taken = bytes.slice(0, length);
    this.#output += text(taken);
    if (this.events.at(-1) !== "write") this.events.push("write");
    this.onTaken?.(taken);
    return bytes.subarray(length);
  }

  closeWrite(): Promise<void> {
    if (this.#writeEnded) return Promise.reject(new Error("Broken pipe"));
    this.#writeEnded = true;
    this.events.push("closeWrite");
    this.onEnded?.();
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
    this.onEnded?.();
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#controller.error(new Error("The connection was closed"));
    this.#release();
  }

  createDeadline(): ManualDeadline {
    const deadline = new ManualDeadline(
      this.clock,
      () => this.deadlines.delete(deadline),
    );
    this.deadlines.add(deadline);
    return deadline;
  }

  async #pull(): Promise<void> {
    // As the buffer of a connection, which is used again.
    this.#lent?.fill(0xee);
    this.#lent = undefined;
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
      this.#lent = chunk;
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

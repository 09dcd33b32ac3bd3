/**
 * A connection of the operating system: bytes to read as a stream, bytes to
 * write under a deadline, and a half close. `Deno.Conn.readable` is not used,
 * because it closes both directions when the peer closes one.
 *
 * @module
 */

import type { CoarseDeadline, DeadlineClock } from "./deadlines.ts";

/** An idle connection holds this much for what may come. */
const MIN_SLAB_BYTES = 1024;
const MAX_SLAB_BYTES = 64 * 1024;
const MANY_SMALL_READS = 8;

/** How a connection behaves. */
export interface ConnectionOptions {
  /** How long a write may take without progress, in milliseconds. */
  readonly writeTimeout: number;
  /** The clock of its deadlines. */
  readonly clock: DeadlineClock;
}

/** An accepted connection. */
export class Connection {
  /**
   * What the peer sends; a chunk is read when one is asked for, and may be
   * overwritten when the next one is.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bounds a wait for the peer; whoever waits arms it. */
  readonly readDeadline: CoarseDeadline;
  /** The peer's address. */
  readonly remoteAddr: Deno.Addr;
  /** The address that the peer connected to. */
  readonly localAddr: Deno.Addr;

  readonly #conn: Deno.Conn;
  readonly #writeDeadline: CoarseDeadline;
  readonly #writeTimeout: number;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #readEnded = false;
  #closed = false;

  /** What reads go into; it grows while they fill it, and shrinks again. */
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(MIN_SLAB_BYTES);
  #smallReads = 0;

  /** Takes a connection over: it is closed by this object alone. */
  constructor(conn: Deno.Conn, options: ConnectionOptions) {
    this.#conn = conn;
    this.remoteAddr = conn.remoteAddr;
    this.localAddr = conn.localAddr;
    this.#writeTimeout = options.writeTimeout;
    this.readDeadline = options.clock.create();
    this.#writeDeadline = options.clock.create();
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
    // Without this, a small write waits for the peer to acknowledge the last.
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  }

  async #pull(): Promise<void> {
    const slab = this.#slab;
    let length: number | null;
    try {
      length = await this.#conn.read(slab);
    } catch (error) {
      if (this.#readEnded) return;
      this.#readEnded = true;
      throw error;
    }
    if (this.#readEnded) return;
    if (length === null) return this.endRead();
    this.#adaptSlab(length);
    this.#controller.enqueue(slab.subarray(0, length));
  }

  /** Grows the slab that was filled, shrinks one that long was not needed. */
  #adaptSlab(length: number): void {
    const size = this.#slab.length;
    if (length === size && size < MAX_SLAB_BYTES) {
      this.#slab = new Uint8Array(4 * size);
    }
    this.#smallReads = length > MIN_SLAB_BYTES ? 0 : this.#smallReads + 1;
    if (this.#smallReads >= MANY_SMALL_READS && size > MIN_SLAB_BYTES) {
      this.#slab = new Uint8Array(MIN_SLAB_BYTES);
    }
  }

  /**
   * Writes all of `bytes`, which must not change meanwhile.
   *
   * @throws If the peer is lost, or takes nothing for `writeTimeout`.
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let rest = bytes; rest.length > 0;) {
        this.#writeDeadline.arm(this.#writeTimeout, this.#close);
        rest = rest.subarray(await this.#conn.write(rest));
      }
    } finally {
      this.#writeDeadline.disarm();
    }
  }

  /** Closes the writing direction: the peer reads its end. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Ends `readable` before the peer does: closed, or errored with `reason`. */
  endRead(reason?: Error): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    if (reason === undefined) this.#controller.close();
    else this.#controller.error(reason);
  }

  /** Closes both directions and lets go of the deadlines; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.readDeadline[Symbol.dispose]();
    this.#writeDeadline[Symbol.dispose]();
    this.endRead(new Deno.errors.Interrupted("The connection was closed"));
    this.#conn[Symbol.dispose]();
  }

  readonly #close = (): void => this.close();
}

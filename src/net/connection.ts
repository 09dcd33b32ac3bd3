/**
 * A connection of the operating system: bytes to read as a stream, bytes to
 * write under a deadline, and a half close. `Deno.Conn.readable` is not used,
 * because it closes both directions when the peer closes one.
 *
 * @module
 */

import { giveWay } from "../streams/fair_share.ts";
import type { CoarseDeadline, DeadlineClock } from "./deadlines.ts";
import type { TlsParameters } from "./tls_parameters.ts";

/** The size of the read buffer of an idle connection. */
const MIN_SLAB_BYTES = 512;
const MAX_SLAB_BYTES = 128 * 1024;
const MANY_SMALL_READS = 8;
/** A read or a write counts as one step, and as one more for this many bytes. */
const BYTES_PER_STEP = 2 * 1024;

/** A socket, or what takes its place. */
export type SocketConn =
  & Pick<
    Deno.Conn,
    | "read"
    | "write"
    | "closeWrite"
    | "remoteAddr"
    | "localAddr"
    | typeof Symbol.dispose
  >
  & {
    /** What the handshake of TLS has agreed on, where that is known. */
    readonly tls?: TlsParameters | undefined;
    /** The protocol that ALPN has chosen, if the client has offered any. */
    readonly alpnProtocol?: string | null | undefined;
    /** Whether Nagle's algorithm can't be switched off. */
    readonly delaysWrites?: boolean | undefined;
  };

/** Counts of what goes over connections. */
export interface ConnectionMeter {
  /** Bytes that were read. */
  bytesReceived: number;
  /** Bytes that were written. */
  bytesSent: number;
  /** Connections that were cut because their client did not read. */
  writeTimeouts: number;
}

/** How a connection behaves. */
export interface ConnectionOptions {
  /** How long a write may take without progress, in milliseconds. */
  readonly writeTimeout: number;
  /** The clock of its deadlines. */
  readonly clock: DeadlineClock;
  /** Counts its bytes. */
  readonly meter?: ConnectionMeter | undefined;
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** An accepted connection. */
export class Connection {
  /**
   * What the peer sends; a chunk is read when one is asked for, and may be
   * overwritten when the next one is.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bounds a wait for the peer; the caller that waits arms it. */
  readonly readDeadline: CoarseDeadline;
  /** The peer's address. */
  readonly remoteAddr: Deno.Addr;
  /** The address that the peer connected to. */
  readonly localAddr: Deno.Addr;
  /** What the handshake of TLS has agreed on, where that is known. */
  readonly tls: TlsParameters | undefined;
  /** The protocol that ALPN has chosen; `null` in clear text, and without ALPN. */
  readonly alpnProtocol: string | null;
  /** Whether a small write waits for the one before (Nagle's algorithm). */
  readonly delaysWrites: boolean;

  readonly #conn: SocketConn;
  readonly #clock: DeadlineClock;
  readonly #meter: ConnectionMeter | undefined;
  readonly #writeDeadline: CoarseDeadline;
  readonly #writeTimeout: number;
  /** Whether it is no TLS, which has an end of its own to be written. */
  readonly #clear: boolean;
  #controller: Controller | undefined;
  /** Whether a read is pending, or something may be there to be read. */
  #unread = false;
  #readEnded = false;
  #endReason: Error | undefined;
  #closed = false;

  /** The read buffer; it grows while reads fill it, and shrinks again. */
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(MIN_SLAB_BYTES);
  #smallReads = 0;
  /** How many bytes the last read has brought. */
  #lastRead = 0;

  /** Takes over a connection, which nothing else may close. */
  constructor(conn: SocketConn, options: ConnectionOptions) {
    this.#conn = conn;
    this.#meter = options.meter;
    this.remoteAddr = conn.remoteAddr;
    this.localAddr = conn.localAddr;
    this.tls = conn.tls;
    this.alpnProtocol = conn.alpnProtocol ?? null;
    this.delaysWrites = conn.delaysWrites ?? false;
    this.#writeTimeout = options.writeTimeout;
    this.#clock = options.clock;
    this.readDeadline = options.clock.create();
    this.#writeDeadline = options.clock.create();
    this.readable = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
    this.#clear = "setNoDelay" in conn;
    if (this.#clear) sendAtOnce(conn as Deno.TcpConn);
  }

  /**
   * Whether a `close` loses nothing now that was written, if the peer sends
   * nothing more: the socket is in clear text, and all was read that had come.
   */
  get closesCleanly(): boolean {
    return this.#clear && !this.#unread;
  }

  /** Makes another deadline, for as long as it is needed. */
  createDeadline(): CoarseDeadline {
    return this.#clock.create();
  }

  // Idle connections wait here; an async function would keep its frame in memory.
  // The bytes of the last read are not used any more when this is called.
  #pull(controller: Controller): Promise<void> | undefined {
    this.#controller = controller;
    const share = this.#lastRead === 0
      ? undefined
      : giveWay(stepsOf(this.#lastRead));
    return share === undefined ? this.#read() : share.then(() => this.#read());
  }

  #read(): Promise<void> | undefined {
    if (this.#readEnded) return this.#endStream();
    const slab = this.#slab;
    this.#unread = true;
    return this.#conn.read(slab).then(
      (length) => this.#pulled(slab, length),
      (error) => this.endRead(error),
    );
  }

  #pulled(slab: Uint8Array<ArrayBuffer>, length: number | null): void {
    if (this.#readEnded) return;
    if (length === null) return this.endRead();
    if (this.#meter !== undefined) this.#meter.bytesReceived += length;
    this.#lastRead = length;
    this.#unread = length === slab.length;
    this.#adaptSlab(length);
    this.#controller!.enqueue(slab.subarray(0, length));
  }

  /** Grows a buffer that was filled, shrinks one that was too large for a while. */
  #adaptSlab(length: number): void {
    const size = this.#slab.length;
    if (length === size && size < MAX_SLAB_BYTES) {
      this.#slab = new Uint8Array(Math.min(4 * size, MAX_SLAB_BYTES));
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
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    this.#writeDeadline.arm(this.#writeTimeout, this.#writeExpired);
    return this.#conn.write(bytes).then(
      (length) => this.#written(bytes, length),
      (error) => {
        this.#writeDeadline.disarm();
        throw error;
      },
    );
  }

  #written(bytes: Uint8Array, length: number): Promise<void> | undefined {
    this.#writeDeadline.disarm();
    if (this.#meter !== undefined) this.#meter.bytesSent += length;
    if (length < bytes.length) return this.write(bytes.subarray(length));
  }

  /** Closes the writing direction: the peer reads its end. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Ends `readable` before the peer does: closed, or errored with `reason`. */
  endRead(reason?: Error): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#endReason = reason;
    this.#endStream();
  }

  /** Before the first read, nothing waits: that read will find the end. */
  #endStream(): undefined {
    if (this.#endReason === undefined) this.#controller?.close();
    else this.#controller?.error(this.#endReason);
  }

  /** Closes both directions and disposes of the deadlines; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.readDeadline[Symbol.dispose]();
    this.#writeDeadline[Symbol.dispose]();
    if (!this.#readEnded) this.endRead(interrupted());
    this.#conn[Symbol.dispose]();
  }

  readonly #writeExpired = (): void => {
    if (this.#meter !== undefined) this.#meter.writeTimeouts++;
    this.close();
  };
}

/** All closes share one: to make it takes as long as to read. */
let closedError: Error | undefined;

function interrupted(): Error {
  return closedError ??= new Deno.errors.Interrupted(
    "The connection was closed",
  );
}

/** Without this, a small write waits for the peer to acknowledge the last. */
function sendAtOnce(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // Some systems refuse if the peer has reset the connection: a read reports that.
  }
}

function stepsOf(bytes: number): number {
  return 1 + Math.floor(bytes / BYTES_PER_STEP);
}

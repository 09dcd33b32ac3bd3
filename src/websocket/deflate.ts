/**
 * Compression and decompression of messages (RFC 7692, section 7.2).
 *
 * A message is what deflate gives up to a sync flush, without the four bytes
 * `00 00 FF FF` that every sync flush ends in. With context takeover, both sides
 * keep the last `2 ** windowBits` bytes, and messages refer to earlier ones.
 *
 * What that costs with Deno 2.9, in memory for each connection (from its first
 * compressed message to its close):
 *
 * |                            | with context takeover | without            |
 * |----------------------------|-----------------------|--------------------|
 * | to compress                | 150–220 KiB           | 0: it is shared    |
 * | to decompress              | 20–30 KiB             | the same           |
 *
 * @module
 */

import { nodeZlib } from "./_node_modules.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import type { CompressionOptions } from "./options.ts";
import {
  closedError,
  COMMON_OPTIONS,
  invalidDeflate,
  type TakeChunk,
  ZlibPipe,
} from "./zlib_pipe.ts";

/** What every message ends in, and what is not sent. */
const FLUSH_TAIL = new Uint8Array([0, 0, 0xff, 0xff]);
/** zlib compresses with at least this window; see {@linkcode Deflater}. */
const MIN_DEFLATE_WINDOW_BITS = 9;
/** After this much of a message, others have their turn on the event loop. */
const MAX_RUN_BYTES = 128 * 1024;
/** A message that is all last blocks must not cost a new stream for each. */
const MAX_LAST_BLOCKS = 8;

/**
 * Compresses messages, one after the other. Connections that keep no context
 * share one for their settings.
 */
class Compressor {
  readonly #pipe: ZlibPipe;
  readonly #keepsContext: boolean;
  #done: Promise<unknown> = Promise.resolve();
  /** How many connections use it. */
  users = 0;

  constructor(pipe: ZlibPipe, keepsContext: boolean) {
    this.#pipe = pipe;
    this.#keepsContext = keepsContext;
  }

  /** Compresses a message in its turn, into chunks. */
  compress(message: Uint8Array): Promise<Uint8Array[]> {
    const compressed = this.#done.then(() => this.#run(message));
    this.#done = compressed.catch(() => {});
    return compressed;
  }

  async #run(message: Uint8Array): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < message.length; at += MAX_RUN_BYTES) {
      if (at > 0) await new Promise<void>((next) => setTimeout(next, 0));
      const part = message.subarray(at, at + MAX_RUN_BYTES);
      await this.#pipe.run(part, (chunk) => chunks.push(chunk));
    }
    if (!this.#keepsContext) this.#pipe.reset();
    return chunks;
  }

  close(): void {
    this.#pipe.close();
  }
}

/** The compressors that are shared, by their settings. */
const shared = new Map<string, Compressor>();

/**
 * Compresses the messages of one connection.
 *
 * An agreed window of 8 bits is met with 9: at 9, zlib refers back by at most
 * 250 bytes (512 less its look-ahead of 262), and 8 bits allow 256.
 */
export class Deflater {
  readonly #settings: {
    readonly windowBits: number;
    readonly level: number;
    readonly memLevel: number;
  };
  /** What it shares a compressor by; `undefined` if it has one of its own. */
  readonly #sharedBy: string | undefined;
  #compressor: Compressor | undefined;
  #closed = false;

  /** Takes no memory yet. */
  constructor(agreement: DeflateAgreement, options: CompressionOptions) {
    const { level, memLevel } = options;
    const windowBits = Math.max(
      agreement.serverMaxWindowBits,
      MIN_DEFLATE_WINDOW_BITS,
    );
    this.#settings = { windowBits, level, memLevel };
    this.#sharedBy = agreement.serverNoContextTakeover
      ? `${windowBits} ${level} ${memLevel}`
      : undefined;
  }

  /**
   * Compresses a message, which must not be empty.
   *
   * @returns The compressed bytes, in chunks, which end in the four bytes that
   * are not sent.
   */
  async deflate(message: Uint8Array): Promise<Uint8Array[]> {
    if (this.#closed) throw closedError();
    return await (this.#compressor ??= this.#open()).compress(message);
  }

  /** Gives the memory back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const compressor = this.#compressor;
    if (compressor === undefined || --compressor.users > 0) return;
    compressor.close();
    if (this.#sharedBy !== undefined) shared.delete(this.#sharedBy);
  }

  #open(): Compressor {
    const key = this.#sharedBy;
    let compressor = key === undefined ? undefined : shared.get(key);
    if (compressor === undefined) {
      const stream = nodeZlib().createDeflateRaw({
        ...COMMON_OPTIONS,
        ...this.#settings,
      });
      compressor = new Compressor(new ZlibPipe(stream), key === undefined);
      if (key !== undefined) shared.set(key, compressor);
    }
    compressor.users++;
    return compressor;
  }
}

/**
 * Decompresses the messages of one connection, as they arrive.
 *
 * A message may hold a block that says it is the last (section 7.2.3.4): what
 * follows is inflated afresh, and the context from before it is lost.
 */
export class Inflater {
  readonly #agreement: DeflateAgreement;
  #pipe: ZlibPipe | undefined;
  #lastBlocks = 0;
  #closed = false;

  /** Takes no memory yet. */
  constructor(agreement: DeflateAgreement) {
    this.#agreement = agreement;
  }

  /**
   * Decompresses a part of a message; `take` gets what comes out.
   *
   * @throws {WebSocketError} With 1007 if the bytes are not deflated ones.
   * @throws Whatever `take` throws.
   */
  async inflate(
    part: Uint8Array,
    last: boolean,
    take: TakeChunk,
  ): Promise<void> {
    await this.#run(last ? withTail(part) : part, take);
    if (!last) return;
    this.#lastBlocks = 0;
    if (this.#agreement.clientNoContextTakeover) this.#pipe?.reset();
  }

  /** Gives the memory back. */
  close(): void {
    this.#closed = true;
    this.#pipe?.close();
  }

  async #run(bytes: Uint8Array, take: TakeChunk): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const pipe = this.#pipe ??= this.#open();
      const consumed = await pipe.run(rest, take);
      rest = rest.subarray(consumed);
      if (rest.length > 0) this.#endStream(pipe);
    }
  }

  /** Behind a block that says it is the last, zlib takes no more. */
  #endStream(pipe: ZlibPipe): void {
    pipe.close();
    this.#pipe = undefined;
    if (++this.#lastBlocks > MAX_LAST_BLOCKS) throw invalidDeflate();
  }

  #open(): ZlibPipe {
    if (this.#closed) throw closedError();
    const windowBits = this.#agreement.clientMaxWindowBits;
    return new ZlibPipe(
      nodeZlib().createInflateRaw({ ...COMMON_OPTIONS, windowBits }),
    );
  }
}

function withTail(bytes: Uint8Array): Uint8Array {
  const joined = new Uint8Array(bytes.length + FLUSH_TAIL.length);
  joined.set(bytes);
  joined.set(FLUSH_TAIL, bytes.length);
  return joined;
}

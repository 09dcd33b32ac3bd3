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
 * Besides, up to 16 long messages without context, of all connections together,
 * have 150–220 KiB each while they are sent.
 *
 * @module
 */

import { nodeZlib } from "./_node_modules.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import { nextTurn } from "./long_work.ts";
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
/** So many long messages have a compressor of their own at a time. */
const MAX_LONG_MESSAGES = 16;
/** A message that is all last blocks must not cost a new stream for each. */
const MAX_LAST_BLOCKS = 8;

/** How a compressor is set up. */
interface CompressorSettings {
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
}

/** Compresses bytes, one run after the other. */
class Compressor {
  readonly #pipe: ZlibPipe;
  readonly #keepsContext: boolean;
  #done: Promise<unknown> = Promise.resolve();
  /** How many connections use it. */
  users = 0;

  constructor(settings: CompressorSettings, keepsContext: boolean) {
    const stream = nodeZlib().createDeflateRaw({
      ...COMMON_OPTIONS,
      ...settings,
    });
    this.#pipe = new ZlibPipe(stream);
    this.#keepsContext = keepsContext;
  }

  /** Compresses bytes in their turn, into chunks. */
  compress(bytes: Uint8Array): Promise<Uint8Array[]> {
    const compressed = this.#done.then(() => this.#run(bytes));
    this.#done = compressed.catch(() => {});
    return compressed;
  }

  async #run(bytes: Uint8Array): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    await this.#pipe.run(bytes, (chunk) => chunks.push(chunk));
    this.#pipe.endMessage(this.#keepsContext);
    return chunks;
  }

  close(): void {
    this.#pipe.close();
  }
}

/** The compressors that are shared, by their settings. */
const shared = new Map<string, Compressor>();
/** The long messages that have a compressor of their own. */
let longMessages = 0;

/**
 * Compresses the messages of one connection.
 *
 * Connections that keep no context share a compressor for short messages. Each of
 * them has at most one message in its queue, so that these take turns. A long
 * message would hold the others up, and has a compressor of its own; if there are
 * too many of these, it is sent as it is.
 *
 * An agreed window of 8 bits is met with 9: at 9, zlib refers back by at most
 * 250 bytes (512 less its look-ahead of 262), and 8 bits allow 256.
 */
export class Deflater {
  readonly #settings: CompressorSettings;
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
   * Compresses a short message, which must not be empty; only one at a time.
   *
   * @returns The compressed bytes, in chunks, which end in the four bytes that
   * are not sent.
   */
  async deflate(message: Uint8Array): Promise<Uint8Array[]> {
    return await this.#open().compress(message);
  }

  /**
   * Begins a long message; until it has ended, no other one may be compressed.
   * `undefined` if it must be sent as it is.
   */
  deflateLong(): LongMessage | undefined {
    if (this.#sharedBy === undefined) return new LongMessage(this.#open());
    if (this.#closed) throw closedError();
    if (longMessages === MAX_LONG_MESSAGES) return undefined;
    longMessages++;
    const compressor = new Compressor(this.#settings, true);
    return new LongMessage(compressor, () => {
      compressor.close();
      longMessages--;
    });
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
    if (this.#closed) throw closedError();
    if (this.#compressor !== undefined) return this.#compressor;
    const key = this.#sharedBy;
    const compressor = (key && shared.get(key)) ||
      new Compressor(this.#settings, key === undefined);
    if (key !== undefined) shared.set(key, compressor);
    compressor.users++;
    return this.#compressor = compressor;
  }
}

/** A long message that is compressed piece by piece. */
export class LongMessage {
  readonly #compressor: Compressor;
  readonly #onEnd: () => void;
  #begun = false;

  /** Made by {@linkcode Deflater.deflateLong}. */
  constructor(compressor: Compressor, onEnd = () => {}) {
    this.#compressor = compressor;
    this.#onEnd = onEnd;
  }

  /** Compresses the next piece, in its turn; chunks as of a whole message. */
  async deflate(piece: Uint8Array): Promise<Uint8Array[]> {
    if (this.#begun) await nextTurn();
    this.#begun = true;
    return await this.#compressor.compress(piece);
  }

  /** Must be called after the last piece, or in place of it. */
  end(): void {
    this.#onEnd();
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
    this.#pipe?.endMessage(!this.#agreement.clientNoContextTakeover);
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

  /** After a block that says it is the last, zlib takes no more. */
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

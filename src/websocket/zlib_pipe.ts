/**
 * A stream of `node:zlib` as a function: bytes in, and all that comes of them
 * out, chunk by chunk. A receiver that has seen enough throws, and zlib stops.
 *
 * Deno runs these streams on the event loop, not beside it: nothing else happens
 * while zlib works. So input should be short; and where a little input makes much
 * output, which costs as much, the rest of the output is made in turns.
 *
 * @module
 */

import type { DeflateRaw, InflateRaw } from "node:zlib";
import { ABNORMAL_CLOSURE, INVALID_DATA } from "./close_codes.ts";
import { nextTurn } from "./long_work.ts";
import { WebSocketError } from "./websocket_error.ts";

/** Takes output as it is made; what it throws stops the making. */
export type TakeChunk = (chunk: Uint8Array) => void;

/** As zlib's own header has it: the module is loaded only where it is used. */
const Z_SYNC_FLUSH = 2;

/** Each write is flushed: what it makes is there when its callback is called. */
export const COMMON_OPTIONS = {
  flush: Z_SYNC_FLUSH,
  // More would be faster for large messages, but each stream holds this much.
  chunkSize: 4096,
} as const;

/** What is made of a message at once; the rest is made in turns. */
const MAX_OUTPUT_AT_ONCE = 256 * 1024;

/** Runs bytes through one stream, one run at a time. */
export class ZlibPipe {
  readonly #stream: DeflateRaw | InflateRaw;
  #take: TakeChunk = ignore;
  #fail: (error: unknown) => void = ignore;
  /** How much was made since the message, or the last turn at it, has begun. */
  #output = 0;
  /** The turn that a paused stream waits for. */
  #turn: Promise<void> | undefined;

  /** Takes over a stream with {@linkcode COMMON_OPTIONS}. */
  constructor(stream: DeflateRaw | InflateRaw) {
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => this.#pass(chunk));
    stream.on("error", ignore); // The callback of the write reports it.
  }

  /**
   * Runs bytes through.
   *
   * @returns How many of them zlib has taken: all, unless the stream ended.
   * @throws {WebSocketError} With 1007 if they are not compressed, and 1006 if
   * the stream is closed.
   * @throws Whatever `take` throws.
   */
  run(bytes: Uint8Array, take: TakeChunk): Promise<number> {
    const stream = this.#stream;
    const before = stream.bytesWritten;
    return new Promise((resolve, reject) => {
      this.#take = take;
      this.#fail = reject;
      stream.write(bytes, () => {
        this.#takeRest();
        this.#take = this.#fail = ignore;
        if (stream.errored) return reject(invalidDeflate());
        if (stream.destroyed) return reject(closedError());
        const consumed = stream.bytesWritten - before;
        resolve(this.#turn?.then(() => consumed) ?? consumed);
      });
    });
  }

  /** To be called between two messages; whether the context is kept. */
  endMessage(keepsContext: boolean): void {
    this.#output = 0;
    if (!keepsContext) this.#stream.reset();
  }

  /** Gives the memory back; a run that is under way fails. */
  close(): void {
    this.#stream.close();
    this.#fail(closedError());
  }

  #pass(chunk: Uint8Array): void {
    try {
      this.#take(chunk);
    } catch (error) {
      this.#take = ignore;
      this.#fail(error);
      this.#stream.close();
    }
    this.#output += chunk.length;
    if (this.#output >= MAX_OUTPUT_AT_ONCE) this.#pause();
  }

  /** A stream that is paused stops working once a little output waits in it. */
  #pause(): void {
    if (this.#turn !== undefined) return;
    this.#stream.pause();
    this.#turn = nextTurn().then(() => this.#resume());
  }

  #resume(): void {
    this.#turn = undefined;
    this.#output = 0;
    this.#stream.resume();
  }

  /** What waits in a paused stream when all of its input was used up. */
  #takeRest(): void {
    while (this.#stream.read() !== null);
  }
}

/** The error for what zlib cannot decompress. */
export function invalidDeflate(): WebSocketError {
  return new WebSocketError(INVALID_DATA, "Cannot inflate message: bad data");
}

/** The error for what comes too late. */
export function closedError(): WebSocketError {
  return new WebSocketError(
    ABNORMAL_CLOSURE,
    "Cannot compress: the connection is closed",
  );
}

function ignore(): void {}

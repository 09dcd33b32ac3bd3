/**
 * A stream of `node:zlib` as a function: bytes in, and all that comes of them
 * out, chunk by chunk. A receiver that has seen enough throws, and zlib stops.
 *
 * Deno runs these streams on the event loop, not beside it: nothing else happens
 * while a run lasts, so runs should be short.
 *
 * @module
 */

import type { DeflateRaw, InflateRaw } from "node:zlib";
import { ABNORMAL_CLOSURE, INVALID_DATA } from "./close_codes.ts";
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

/** Runs bytes through one stream, one run at a time. */
export class ZlibPipe {
  readonly #stream: DeflateRaw | InflateRaw;
  #take: TakeChunk = ignore;
  #fail: (error: unknown) => void = ignore;

  /** Takes over a stream with {@linkcode COMMON_OPTIONS}. */
  constructor(stream: DeflateRaw | InflateRaw) {
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => this.#pass(chunk));
    stream.on("error", ignore); // The callback of the write tells.
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
        this.#take = this.#fail = ignore;
        if (stream.errored) reject(invalidDeflate());
        else if (stream.destroyed) reject(closedError());
        else resolve(stream.bytesWritten - before);
      });
    });
  }

  /** Forgets the context. */
  reset(): void {
    this.#stream.reset();
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

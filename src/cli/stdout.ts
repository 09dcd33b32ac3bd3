/**
 * stdout, as the access log is written to it.
 *
 * A pipe takes up to 4 KiB whole or not at all. That much is written to it at
 * once, for two reasons: processes that share it don't tear each other's lines;
 * and Deno buffers a part of what a pipe that does not block has not taken, and
 * then does not say how much of the write is done.
 *
 * @module
 */

import type { ByteSink } from "../logs/write_all.ts";

/** `PIPE_BUF` of Linux. */
const PIPE_BYTES = 4096;
const NEWLINE = 0x0a;

/** Writes to stdout, to a pipe in pieces of whole lines if they are short enough. */
export class Stdout implements ByteSink {
  #isPipe: boolean | undefined;

  /** Writes the first of the bytes, and resolves to their number. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length > PIPE_BYTES) {
      this.#isPipe ??= await isPipe();
      if (this.#isPipe) bytes = bytes.subarray(0, pieceLength(bytes));
    }
    return await Deno.stdout.write(bytes);
  }
}

/** How many bytes to write: lines that are whole, or else a part of one. */
function pieceLength(bytes: Uint8Array): number {
  const end = bytes.lastIndexOf(NEWLINE, PIPE_BYTES - 1);
  return end === -1 ? PIPE_BYTES : end + 1;
}

/** Whether stdout is a pipe or a socket. */
async function isPipe(): Promise<boolean> {
  // It takes a while to load, and a server with little to log needs it not.
  const { fstatSync } = await import("node:fs");
  const stat = fstatSync(1);
  return stat.isFIFO() || stat.isSocket();
}

/**
 * stdout, as the access log is written to it: all that waits in one write,
 * which costs least and keeps up with any load. There are two exceptions, both
 * of pipes, which take up to 4 KiB at once or not at all:
 *
 * - Processes that share one write lines in pieces of that size, so that they
 *   do not tear each other's lines.
 * - Where a pipe does not block, Deno buffers some of what it has not taken, and
 *   does not say how much of the write is done. Of a piece that fails, nothing
 *   is done.
 *
 * @module
 */

import type { ByteSink } from "../logs/write_all.ts";

/** How more than a piece is written. */
type Manner = "whole" | "pieces together" | "piece by piece";

/** `PIPE_BUF` of Linux. */
const PIECE_BYTES = 4096;
/** How many pieces are written in one turn of the event loop. */
const MAX_PIECES = 64;
const NEWLINE = 0x0a;
const O_NONBLOCK = 0o4000;

/** Writes to stdout. */
export class Stdout implements ByteSink {
  readonly #shared: boolean;
  #manner: Manner | undefined;

  /** `shared`: whether other processes write to it, too. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Writes the first of the bytes, and resolves to their number. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length <= PIECE_BYTES) return await Deno.stdout.write(bytes);
    this.#manner ??= await mannerFor(this.#shared);
    try {
      return await writeIn(this.#manner, bytes);
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        this.#manner = "piece by piece";
      }
      throw error;
    }
  }
}

async function mannerFor(shared: boolean): Promise<Manner> {
  if (doesNotBlock()) return "piece by piece";
  return shared && await isPipe() ? "pieces together" : "whole";
}

async function writeIn(manner: Manner, bytes: Uint8Array): Promise<number> {
  if (manner === "whole") return await Deno.stdout.write(bytes);
  const pieces = piecesOf(bytes, manner === "piece by piece" ? 1 : MAX_PIECES);
  // They are written in this order.
  const written = await Promise.all(
    pieces.map((piece) => Deno.stdout.write(piece)),
  );
  return written.reduce((sum, length) => sum + length);
}

/** The first pieces: lines that are whole, or a part of one that is longer. */
function piecesOf(bytes: Uint8Array, max: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  while (bytes.length > 0 && pieces.length < max) {
    const end = bytes.lastIndexOf(NEWLINE, PIECE_BYTES - 1) + 1;
    const length = end || Math.min(PIECE_BYTES, bytes.length);
    pieces.push(bytes.subarray(0, length));
    bytes = bytes.subarray(length);
  }
  return pieces;
}

/** Whether writes do not block; where that cannot be known, they do. */
function doesNotBlock(): boolean {
  const path = "/proc/self/fdinfo/1";
  const { state } = Deno.permissions.querySync({ name: "read", path });
  if (state !== "granted") return false;
  try {
    const [, flags] = /^flags:\s*(\d+)$/m.exec(Deno.readTextFileSync(path))!;
    return (parseInt(flags, 8) & O_NONBLOCK) !== 0;
  } catch {
    return false;
  }
}

/** Whether stdout is a pipe or a socket. */
async function isPipe(): Promise<boolean> {
  // It takes a while to load, and is needed for long writes only.
  const { fstatSync } = await import("node:fs");
  const stat = fstatSync(1);
  return stat.isFIFO() || stat.isSocket();
}

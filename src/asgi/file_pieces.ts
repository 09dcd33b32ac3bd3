/**
 * Reads a file piece by piece, for the extensions that send files.
 *
 * @module
 */

import type { ReadableFile } from "./types.ts";

const PIECE_BYTES = 64 * 1024;

/**
 * Reads up to `count` bytes of a file, from where it stands, or up to its end.
 * A piece is valid until the next one is asked for.
 */
export async function* readFilePieces(
  file: ReadableFile,
  count = Infinity,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, count));
  for (let left = count; left > 0;) {
    const length = await file.read(
      buffer.subarray(0, Math.min(left, PIECE_BYTES)),
    );
    if (length === null) return;
    yield buffer.subarray(0, length);
    left -= length;
  }
}

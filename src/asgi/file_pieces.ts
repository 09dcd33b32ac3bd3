/**
 * Reads a file piece by piece, for the extensions that send files. The file is
 * the application's, so what its `read` gives is checked: a length that is
 * wrong would send for ever, or what is no content of the file.
 *
 * @module
 */

import { InvalidEventError } from "./errors.ts";
import { show } from "./event_checks.ts";
import type { ReadableFile } from "./types.ts";

const PIECE_BYTES = 64 * 1024;
/** A read may give nothing before the end; but not again and again. */
const MAX_EMPTY_READS = 100;

/**
 * Reads up to `count` bytes of a file, from where it stands, or up to its end.
 * A piece is valid until the next one is asked for.
 *
 * @throws {InvalidEventError} If `read` gives no length of what it was to fill,
 * or nothing again and again.
 */
export async function* readFilePieces(
  file: ReadableFile,
  count = Infinity,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, count));
  let emptyReads = 0;
  for (let left = count; left > 0;) {
    const target = buffer.subarray(0, Math.min(left, PIECE_BYTES));
    const length = await file.read(target);
    if (length === null) return;
    checkLength(length, target.length);
    emptyReads = length === 0 ? emptyReads + 1 : 0;
    if (emptyReads === MAX_EMPTY_READS) {
      throw new InvalidEventError(
        `Cannot send file: read() gave 0 bytes ${MAX_EMPTY_READS} times; at the end of the file it must give null`,
      );
    }
    if (length > 0) yield buffer.subarray(0, length);
    left -= length;
  }
}

function checkLength(length: unknown, max: number): void {
  if (Number.isInteger(length)) {
    if (length as number >= 0 && length as number <= max) return;
  }
  throw new InvalidEventError(
    `Cannot send file: read() must give a whole number from 0 to ${max}, or null at the end, not ${
      show(length)
    }`,
  );
}

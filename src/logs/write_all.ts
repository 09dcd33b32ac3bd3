/**
 * Writes all of some bytes to what may take only a part of them.
 *
 * @module
 */

/** Where bytes go: `Deno.stdout`, an open file, or what is written to as they are. */
export interface ByteSink {
  /** Writes the first of the bytes, and resolves to their number. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How long to wait for room where a write does not wait by itself. */
const RETRY_MS = 20;
/** Errors that say nothing but "not now": the pipe is full, a signal came. */
const NOT_NOW = ["WouldBlock", "Interrupted"];

/** Resolves when the last byte is written; rejects if one cannot be written. */
export async function writeAll(
  sink: ByteSink,
  bytes: Uint8Array,
): Promise<void> {
  while (bytes.length > 0) {
    const written = await writeSome(sink, bytes);
    bytes = bytes.subarray(written);
    if (written === 0) await pause();
  }
}

async function writeSome(sink: ByteSink, bytes: Uint8Array): Promise<number> {
  try {
    return await sink.write(bytes);
  } catch (error) {
    if (error instanceof Error && NOT_NOW.includes(error.name)) return 0;
    throw error;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

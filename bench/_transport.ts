/**
 * Streams and writes in memory, for benchmarks of what stands between.
 *
 * @module
 */

import { encodeByteString } from "../src/streams/byte_string.ts";

/** A stream that gives the same chunk whenever it is asked. */
export function endless(text: string): ReadableStream<Uint8Array> {
  const bytes = encodeByteString(text);
  return new ReadableStream({
    // A parser may overwrite what it was given, as it may what a socket gave.
    pull: (controller) => controller.enqueue(bytes.slice()),
  }, { highWaterMark: 0 });
}

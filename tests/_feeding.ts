// Helpers that build byte strings, and feed them to a parser in every way a
// network might: whole, byte by byte, split in two at each offset. A parser
// must give the same result each time. Random samples come from a generator
// with a fixed seed, so that a failure can be run again.

import {
  decodeByteString,
  encodeByteString,
} from "../src/streams/byte_string.ts";

/** One way in which bytes arrive. */
export interface Feeding {
  /** For messages: "whole", "byte by byte", "split at 7". */
  readonly name: string;
  /** The chunks, as byte strings. */
  readonly chunks: readonly string[];
}

/** The bytes of a byte string. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(encodeByteString(text));
}

/** The byte string of some bytes. */
export function text(bytes: Uint8Array): string {
  return decodeByteString(bytes);
}

/** The byte string of a text in UTF-8. */
export function utf8(text: string): string {
  return decodeByteString(new TextEncoder().encode(text));
}

/** A stream that hands out one chunk a read, then ends. */
export function streamOf(
  chunks: readonly string[],
): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(bytes(chunk));
    },
  }, { highWaterMark: 0 });
}

/** All of it in one chunk. */
export function whole(wire: string): Feeding {
  return { name: "whole", chunks: [wire] };
}

/** One chunk a byte. */
export function byteByByte(wire: string): Feeding {
  return { name: "byte by byte", chunks: [...wire] };
}

/** Two chunks. */
export function splitAt(wire: string, offset: number): Feeding {
  return {
    name: `split at ${offset}`,
    chunks: [wire.slice(0, offset), wire.slice(offset)],
  };
}

/** Whole, byte by byte, and split at every offset. */
export function everyFeeding(wire: string): Feeding[] {
  const feedings = [whole(wire), byteByByte(wire)];
  for (let at = 1; at < wire.length; at++) feedings.push(splitAt(wire, at));
  return feedings;
}

/** Whole, byte by byte, and split at about `count` offsets. */
export function someFeedings(wire: string, count: number): Feeding[] {
  const feedings = [whole(wire), byteByByte(wire)];
  const step = Math.max(1, Math.ceil(wire.length / count));
  // An odd start, so that the offsets are not those of round lengths.
  for (let at = 1 + step % 3; at < wire.length; at += step) {
    feedings.push(splitAt(wire, at));
  }
  return feedings;
}

/** Whole, in chunks of 1,000 bytes, and split at about `count` offsets. */
export function coarseFeedings(wire: string, count: number): Feeding[] {
  const chunks = wire.match(/[^]{1,1000}/g) ?? [];
  const [first, , ...splits] = someFeedings(wire, count);
  return [first, { name: "in chunks of 1000", chunks }, ...splits];
}

/** Cut at random places into up to `maxChunks` chunks, none of them empty. */
export function randomSplit(
  wire: string,
  maxChunks: number,
  random: Random,
): Feeding {
  const cuts = Array.from(
    { length: random.below(maxChunks) },
    () => random.below(wire.length + 1),
  );
  const offsets = [...new Set([0, ...cuts, wire.length])].sort((a, b) => a - b);
  const chunks = offsets.slice(1).map((end, i) => wire.slice(offsets[i], end));
  return { name: `cut at ${offsets.slice(1, -1)}`, chunks };
}

/** A small generator of pseudo-random numbers (xorshift32); no secrets here. */
export class Random {
  #state: number;

  /** Equal seeds, which are not 0, give equal numbers. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }

  /** Whether a chance of one in `n` has come. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** A byte string of up to `maxLength` arbitrary bytes. */
  bytes(maxLength: number): string {
    const length = this.below(maxLength + 1);
    return Array.from(
      { length },
      () => String.fromCharCode(this.below(256)),
    ).join("");
  }
}

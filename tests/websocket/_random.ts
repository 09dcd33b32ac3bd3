// Random samples from a fixed seed (mulberry32), so that a failure can be run
// again, and ways to cut bytes into pieces.

/** A generator of random samples. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A number from 0 to 1, exclusive. */
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let x = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
  }

  /** An integer from `min` to `max`, inclusive. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Whether something with this probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)];
  }

  /** Bytes of any value. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.integer(0, 255));
  }

  /** Text of characters of every length in UTF-8. */
  text(length: number): string {
    const ranges = [[0, 0x7f], [0x80, 0x7ff], [0x800, 0xd7ff], [
      0xe000,
      0xffff,
    ], [0x10000, 0x10ffff]];
    return Array.from({ length }, () => {
      const [min, max] = this.chance(0.6) ? ranges[0] : this.pick(ranges);
      return String.fromCodePoint(this.integer(min, max));
    }).join("");
  }

  /** The bytes, cut into `count` pieces anywhere; pieces may be empty. */
  cut(bytes: Uint8Array, count: number): Uint8Array[] {
    const ends = Array.from(
      { length: count - 1 },
      () => this.integer(0, bytes.length),
    ).sort((a, b) => a - b);
    return [...ends, bytes.length].map((end, at) =>
      bytes.slice(at === 0 ? 0 : ends[at - 1], end)
    );
  }
}

/** Every way in which a network might deliver a few bytes. */
export function* deliveries(
  bytes: Uint8Array,
): Generator<{ name: string; chunks: Uint8Array[] }> {
  yield { name: "whole", chunks: [bytes.slice()] };
  yield {
    name: "byte by byte",
    chunks: Array.from(bytes, (byte) => new Uint8Array([byte])),
  };
  for (let at = 1; at < bytes.length; at++) {
    yield {
      name: `split at ${at}`,
      chunks: [bytes.slice(0, at), bytes.slice(at)],
    };
  }
}

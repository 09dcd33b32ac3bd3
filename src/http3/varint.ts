/**
 * Integers of 1, 2, 4 or 8 bytes, as the two top bits of the first one say (RFC
 * 9000, section 16). Long forms of small numbers are legal. What no `number` can
 * hold exactly is read as `Infinity`, which is above every limit.
 *
 * @module
 */

/** Integers below these have so many bytes. */
const MAX_1_BYTE = 2 ** 6;
const MAX_2_BYTES = 2 ** 14;
const MAX_4_BYTES = 2 ** 30;
const LENGTH_SHIFT = 6;
const VALUE_MASK = 0x3f;

/** Reads integers byte by byte, cut anywhere. */
export class VarintReader {
  #left = 0;
  #value = 0;

  /** Whether an integer has begun, and is not whole. */
  get midway(): boolean {
    return this.#left > 0;
  }

  /** Takes a byte; returns the integer that it completes, if it does. */
  next(byte: number): number | undefined {
    if (this.#left === 0) {
      this.#left = 1 << (byte >> LENGTH_SHIFT);
      this.#value = byte & VALUE_MASK;
    } else this.#value = this.#value * 256 + byte;
    if (--this.#left > 0) return undefined;
    return this.#value <= Number.MAX_SAFE_INTEGER ? this.#value : Infinity;
  }
}

/** Reads the integers of a payload that is whole. */
export class PayloadReader {
  readonly #bytes: Uint8Array;
  readonly #varint = new VarintReader();
  #at = 0;

  /** Creates a reader at the start of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all has been read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next integer; `undefined` if it is cut. */
  varint(): number | undefined {
    while (!this.done) {
      const value = this.#varint.next(this.#bytes[this.#at++]);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** All bytes that were not read. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

/** How many bytes an integer takes. */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (value < MAX_1_BYTE) return 1;
  if (value < MAX_2_BYTES) return 2;
  return value < MAX_4_BYTES ? 4 : 8;
}

/** The bytes of integers, each in its shortest form. */
export function encodeVarints(
  ...values: readonly number[]
): Uint8Array<ArrayBuffer> {
  const length = values.reduce((sum, one) => sum + varintLength(one), 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const value of values) at = writeVarint(bytes, at, value);
  return bytes;
}

/** Writes an integer in its shortest form; returns the position after it. */
function writeVarint(target: Uint8Array, at: number, value: number): number {
  const length = varintLength(value);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    target[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  target[at] |= Math.log2(length) << LENGTH_SHIFT;
  return at + length;
}

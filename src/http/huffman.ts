/**
 * Strings in the Huffman code of HPACK and QPACK (RFC 7541, section 5.2).
 *
 * Decoding takes twelve bits at a time from a table, in which most entries hold
 * two symbols. A code that is longer is for a byte that is rare in fields; it is
 * compared with the codes of each length. The table (16 KiB) is made when the
 * first string is decoded.
 *
 * @module
 */

import { byteStringOf } from "../streams/byte_string.ts";
import {
  CODE_BITS,
  CODE_GROUPS,
  CODES,
  EOS,
  MAX_CODE_BITS,
} from "./huffman_code.ts";

const WINDOW_BITS = 12;
const WINDOW_MASK = (1 << WINDOW_BITS) - 1;
const MIN_CODE_BITS = 5;

/** Longer strings are decoded into memory of their own. */
const SCRATCH_BYTES = 4096;
const scratch = new Uint8Array(SCRATCH_BYTES);

/**
 * An entry holds two symbols (or one) in its lowest bytes, then how many bits
 * all of them have, how many symbols there are, and the bits of the first one.
 * 0 stands for a longer code.
 */
const TOTAL_SHIFT = 16;
const COUNT_SHIFT = 24;
const FIRST_SHIFT = 26;
const TOTAL_MASK = 0x1f;
const COUNT_MASK = 0x3;

let table: Int32Array | undefined;

/**
 * Decodes the string in the bytes from `start` to `end`.
 *
 * @returns A byte string; `undefined` if the bytes hold EOS, or end in more than
 * 7 bits of padding, or in padding that is not the beginning of EOS.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const most = Math.floor((end - start) * 8 / MIN_CODE_BITS) + 2;
  const target = most <= SCRATCH_BYTES ? scratch : new Uint8Array(most);
  const length = decodeInto(target, bytes, start, end);
  return length < 0 ? undefined : byteStringOf(target, 0, length);
}

/** Returns how many bytes it has written, or −1 if the code is broken. */
function decodeInto(
  target: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const entries = table ??= makeTable();
  const endBit = end * 8;
  let length = 0;
  for (let bit = start * 8; bit < endBit;) {
    let entry = entries[windowAt(bytes, bit, end)];
    if (entry === 0) entry = decodeLongCode(bytes, bit, end);
    if (bit + (entry >> TOTAL_SHIFT & TOTAL_MASK) > endBit) {
      entry = firstSymbolOf(entry);
    }
    const total = entry >> TOTAL_SHIFT & TOTAL_MASK;
    if (total === 0 || bit + total > endBit) {
      return isPadding(bytes, bit, end) ? length : -1;
    }
    // The second one is overwritten by what follows if there is none.
    target[length] = entry;
    target[length + 1] = entry >> 8;
    length += entry >> COUNT_SHIFT & COUNT_MASK;
    bit += total;
  }
  return length;
}

/** The next twelve bits; ones stand for those that are not there. */
function windowAt(bytes: Uint8Array, bit: number, end: number): number {
  const at = bit >> 3;
  const window = at + 2 < end
    ? bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]
    : bytes[at] << 16 | (at + 1 < end ? bytes[at + 1] : 0xff) << 8 | 0xff;
  return window >> (24 - WINDOW_BITS - (bit & 7)) & WINDOW_MASK;
}

/** Whether what is left is too short for a code, and the beginning of EOS. */
function isPadding(bytes: Uint8Array, bit: number, end: number): boolean {
  const left = end * 8 - bit;
  const ones = (1 << left) - 1;
  return left < 8 && (bytes[end - 1] & ones) === ones;
}

/**
 * An entry for a code of more than twelve bits; 0 if it is EOS. Of a code that is
 * cut it makes anything that is too long for what is left.
 */
function decodeLongCode(bytes: Uint8Array, bit: number, end: number): number {
  let code = windowAt(bytes, bit, end);
  for (let bits = WINDOW_BITS + 1; bits <= MAX_CODE_BITS; bits++) {
    const last = bit + bits - 1;
    code = code << 1 | bytes[last >> 3] >> (7 - (last & 7)) & 1;
    const { first, symbols } = CODE_GROUPS[bits];
    const symbol = symbols[code - first];
    if (symbol === EOS) return 0;
    if (symbol !== undefined) return entryOf(symbol, bits);
  }
  return 0;
}

function makeTable(): Int32Array {
  const single = new Int32Array(1 << WINDOW_BITS);
  for (let symbol = 0; symbol < EOS; symbol++) {
    const spare = WINDOW_BITS - CODE_BITS[symbol];
    if (spare < 0) continue;
    const from = CODES[symbol] << spare;
    single.fill(entryOf(symbol, CODE_BITS[symbol]), from, from + (1 << spare));
  }
  return single.map((entry, window) => withSecond(entry, window, single));
}

/** Adds the symbol after the first one, if the window holds all of its bits. */
function withSecond(
  entry: number,
  window: number,
  single: Int32Array,
): number {
  const bits = entry >> TOTAL_SHIFT;
  const second = single[window << (bits & TOTAL_MASK) & WINDOW_MASK];
  const total = (bits & TOTAL_MASK) + (second >> TOTAL_SHIFT & TOTAL_MASK);
  if (entry === 0 || second === 0 || total > WINDOW_BITS) return entry;
  return entry & 0xff | (second & 0xff) << 8 | total << TOTAL_SHIFT |
    2 << COUNT_SHIFT | (bits & TOTAL_MASK) << FIRST_SHIFT;
}

/** An entry with one symbol. */
function entryOf(symbol: number, bits: number): number {
  return symbol | bits << TOTAL_SHIFT | 1 << COUNT_SHIFT;
}

/** An entry without its second symbol, if it has one. */
function firstSymbolOf(entry: number): number {
  const bits = entry >> FIRST_SHIFT;
  return bits === 0 ? entry : entryOf(entry & 0xff, bits);
}

/**
 * How many bytes a byte string has in the Huffman code; `NaN` if it is no byte
 * string.
 */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return NaN;
    bits += CODE_BITS[code];
  }
  return Math.ceil(bits / 8);
}

/**
 * Writes a byte string in the Huffman code into `target`, from `at` on.
 *
 * @returns The position after it: {@linkcode huffmanLength} more than `at`.
 */
export function encodeHuffmanInto(
  text: string,
  target: Uint8Array,
  at: number,
): number {
  let [pending, bits] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const codeBits = CODE_BITS[symbol];
    // At most 7 bits are pending, and 32 are all there is room for.
    const low = codeBits > 24 ? 16 : 0;
    pending = pending << (codeBits - low) | CODES[symbol] >>> low;
    for (bits += codeBits - low; bits >= 8; bits -= 8) {
      target[at++] = pending >>> (bits - 8);
    }
    if (low === 0) continue;
    pending = pending << low | CODES[symbol] & 0xffff;
    for (bits += low; bits >= 8; bits -= 8) {
      target[at++] = pending >>> (bits - 8);
    }
  }
  if (bits > 0) target[at++] = pending << (8 - bits) | 0xff >>> bits;
  return at;
}

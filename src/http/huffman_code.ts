/**
 * The Huffman code of HPACK and QPACK (RFC 7541, appendix B). It is canonical:
 * codes of one length are consecutive numbers in the order of their symbols,
 * and so the lengths alone define it.
 *
 * @module
 */

/** The symbol that ends a string in theory, and is an error in practice. */
export const EOS = 256;

/** No code is longer; this is the length of EOS, whose code is all ones. */
export const MAX_CODE_BITS = 30;

/** The number of bits of each symbol's code: the 256 bytes, and EOS. */
// deno-fmt-ignore
export const CODE_BITS: Uint8Array = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, // 0x00
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, // 0x10
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, // 0x20
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, // 0x30
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, // 0x40
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, // 0x50
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, // 0x60
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, // 0x70
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, // 0x80
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, // 0x90
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, // 0xa0
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, // 0xb0
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, // 0xc0
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, // 0xd0
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, // 0xe0
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, // 0xf0
  30,
);

/** The codes of one length. */
export interface CodeGroup {
  /** The code of the first of them, as a number. */
  readonly first: number;
  /** Their symbols, in the order of their codes. */
  readonly symbols: readonly number[];
}

/** The codes by their length, from 0 to {@linkcode MAX_CODE_BITS} bits. */
export const CODE_GROUPS: readonly CodeGroup[] = groupCodes();

/** The code of each symbol, as a number of {@linkcode CODE_BITS} bits. */
export const CODES: Int32Array = listCodes(CODE_GROUPS);

function groupCodes(): CodeGroup[] {
  const groups: CodeGroup[] = [];
  let next = 0;
  for (let bits = 0; bits <= MAX_CODE_BITS; bits++) {
    const symbols = symbolsOf(bits);
    groups.push({ first: next, symbols });
    next = (next + symbols.length) * 2;
  }
  return groups;
}

function symbolsOf(bits: number): number[] {
  return [...CODE_BITS.keys()].filter((symbol) => CODE_BITS[symbol] === bits);
}

function listCodes(groups: readonly CodeGroup[]): Int32Array {
  const codes = new Int32Array(CODE_BITS.length);
  for (const { first, symbols } of groups) {
    symbols.forEach((symbol, i) => codes[symbol] = first + i);
  }
  return codes;
}

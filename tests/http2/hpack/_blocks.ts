// Header blocks for tests: decoded from hexadecimal digits, and compared.

import type { FieldPairs } from "../../_corpora.ts";
import {
  HpackDecoder,
  type HpackDecoderOptions,
  HpackError,
} from "../../../src/http2/hpack/mod.ts";

/** Larger than any list of a test that is not about limits. */
export const NO_LIMITS: HpackDecoderOptions = {
  maxListSize: Infinity,
  maxFields: Infinity,
};

/** The bytes of hexadecimal digits; blanks between them are ignored. */
export function block(...parts: string[]): Uint8Array {
  return Uint8Array.fromHex(parts.join("").replaceAll(" ", ""));
}

/** A literal that is added to the table: a new name, and a value. */
export function indexed(name: string, value: string): string {
  return "40" + plain(name) + plain(value);
}

/** A string that is not in the Huffman code, in hexadecimal digits. */
export function plain(text: string): string {
  const bytes = [...integer(text.length), ...[...text].map(codeOf)];
  return Uint8Array.from(bytes).toHex();
}

/** A size update, in hexadecimal digits. */
export function sizeUpdate(size: number): string {
  const bytes = size < 31 ? [size] : [31, ...continuation(size - 31)];
  bytes[0] |= 0x20;
  return Uint8Array.from(bytes).toHex();
}

/** The fields of one block on a new connection. */
export function decodeOne(wire: string): FieldPairs {
  return new HpackDecoder(NO_LIMITS).decode(block(wire)).fields;
}

/** What decoding gives: fields, or the one error; anything else is thrown. */
export function tryDecode(
  decoder: HpackDecoder,
  bytes: Uint8Array,
): FieldPairs | HpackError {
  try {
    return decoder.decode(bytes).fields;
  } catch (error) {
    if (error instanceof HpackError) return error;
    throw error;
  }
}

function integer(value: number): number[] {
  return value < 127 ? [value] : [127, ...continuation(value - 127)];
}

function continuation(rest: number): number[] {
  const bytes = [];
  for (; rest >= 128; rest >>= 7) bytes.push(rest & 0x7f | 0x80);
  return [...bytes, rest];
}

function codeOf(character: string): number {
  return character.charCodeAt(0);
}

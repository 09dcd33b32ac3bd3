// Field sections for tests: written in hexadecimal digits, and decoded.

import { QpackDecoder } from "../../../src/http3/qpack/decoder.ts";
import {
  QpackError,
  type QpackErrorName,
} from "../../../src/http3/qpack/qpack_error.ts";
import type { FieldPairs } from "../../_corpora.ts";

/** Larger than anything in a test that is not about limits. */
export const NO_LIMITS = { maxListSize: Infinity, maxFields: Infinity };

/** The bytes of hexadecimal digits; blanks between them are ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits.replaceAll(" ", ""));
}

/** What happens: a result, or the name of the error; others are thrown. */
export function outcome<T>(act: () => T): T | QpackErrorName {
  try {
    return act();
  } catch (error) {
    if (error instanceof QpackError) return error.errorName;
    throw error;
  }
}

/** The fields of a section; `undefined` if it is blocked. */
export function decodeHex(
  section: string,
  decoder: QpackDecoder = new QpackDecoder(NO_LIMITS),
): FieldPairs | undefined {
  return decoder.decode(hex(section))?.fields;
}

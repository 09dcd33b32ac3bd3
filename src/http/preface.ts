/**
 * The client's connection preface (RFC 9113, section 3.4). On a port that serves
 * HTTP/1 as well, it shows which version a client speaks: the first byte that
 * differs means HTTP/1.
 *
 * @module
 */

import { encodeByteString } from "../streams/byte_string.ts";

const PREFACE = encodeByteString(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** The bytes of the preface. */
export const PREFACE_BYTES = PREFACE.length;

/**
 * Compares bytes as they come with the preface, of which `matched` bytes have
 * come before.
 *
 * @returns How many of the bytes from `start` belong to the preface: all there
 * are, or up to its end; `undefined` if one of them differs.
 */
export function comparePreface(
  bytes: Uint8Array,
  start: number,
  matched: number,
): number | undefined {
  const count = Math.min(bytes.length - start, PREFACE_BYTES - matched);
  for (let i = 0; i < count; i++) {
    if (bytes[start + i] !== PREFACE[matched + i]) return undefined;
  }
  return count;
}

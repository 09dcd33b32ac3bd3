/**
 * Byte strings: strings with one code unit 0–255 a byte, as Web IDL's
 * `ByteString`. Protocol text (names, values, targets) travels in them, because
 * it has no encoding of its own that every peer would keep to.
 *
 * @module
 */

/** For bytes below 0x80 only, where all of these encodings agree. */
const asciiDecoder = new TextDecoder();
const encoder = new TextEncoder();

/** Bytes to a byte string; `ascii` says that no byte is above 0x7F. */
export function decodeByteString(bytes: Uint8Array, ascii = false): string {
  if (ascii) return asciiDecoder.decode(bytes);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

/** A call with so many arguments costs less than a decoder does. */
const FEW_BYTES = 40;
/** More arguments than a call has room for would throw. */
const MAX_ARGUMENTS = 4096;

/**
 * The byte string in the bytes from `start` to `end`: fast for the few bytes that
 * a name or a value has, and for ASCII.
 */
export function byteStringOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  if (end - start <= FEW_BYTES) return fromFewBytes(bytes, start, end);
  if (isAscii(bytes, start, end)) {
    return asciiDecoder.decode(bytes.subarray(start, end));
  }
  let text = "";
  for (let at = start; at < end; at += MAX_ARGUMENTS) {
    text += fromFewBytes(bytes, at, Math.min(at + MAX_ARGUMENTS, end));
  }
  return text;
}

function fromFewBytes(bytes: Uint8Array, start: number, end: number): string {
  const codes = new Array<number>(end - start);
  for (let at = start; at < end; at++) codes[at - start] = bytes[at];
  return String.fromCharCode.apply(null, codes);
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let at = start; at < end; at++) all |= bytes[at];
  return all < 0x80;
}

/**
 * Writes a byte string to the start of `target`, which has room for it.
 *
 * @returns The number of bytes written: the string's length.
 */
export function encodeByteStringInto(text: string, target: Uint8Array): number {
  const { read, written } = encoder.encodeInto(text, target);
  if (read === written && read === text.length) return written;
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
  return text.length;
}

/** A byte string to bytes. */
export function encodeByteString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  encodeByteStringInto(text, bytes);
  return bytes;
}

/**
 * Masking (RFC 6455, section 5.3): byte `i` of a payload is XORed with byte
 * `i % 4` of the frame's key. Masking and unmasking are the same operation, done
 * in place, four bytes at a time where the payload is long enough to gain.
 *
 * @module
 */

/** Below this, the view of words costs more than it saves. */
const MIN_WORD_BYTES = 32;

const keyBytes = new Uint8Array(4);
const keyWord = new Uint32Array(keyBytes.buffer);

/**
 * Masks or unmasks `bytes` in place.
 *
 * @param bytes A part of a payload.
 * @param key The key, its first byte the most significant.
 * @param offset Where in the payload `bytes` start.
 */
export function mask(bytes: Uint8Array, key: number, offset = 0): void {
  let at = 0;
  if (bytes.length >= MIN_WORD_BYTES) {
    const aligned = -bytes.byteOffset & 3;
    maskBytes(bytes, key, offset, 0, aligned);
    at = aligned + maskWords(bytes, key, offset + aligned, aligned);
  }
  maskBytes(bytes, key, offset, at, bytes.length);
}

function maskBytes(
  bytes: Uint8Array,
  key: number,
  offset: number,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; at++) bytes[at] ^= keyByte(key, offset + at);
}

/** Masks whole words from the aligned `from` on; returns how many bytes. */
function maskWords(
  bytes: Uint8Array,
  key: number,
  offset: number,
  from: number,
): number {
  // In the order of the machine's own bytes, whichever that is.
  for (let i = 0; i < 4; i++) keyBytes[i] = keyByte(key, offset + i);
  const word = keyWord[0];
  const count = (bytes.length - from) >>> 2;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + from, count);
  for (let i = 0; i < count; i++) words[i] ^= word;
  return 4 * count;
}

function keyByte(key: number, at: number): number {
  return key >>> 24 - 8 * (at & 3) & 0xff;
}

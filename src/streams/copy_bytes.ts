/**
 * Copies of bytes that belong to somebody else.
 *
 * @module
 */

/**
 * A copy of `bytes`, which shares no memory with them. `slice()` is no way to
 * make one: that of Node's `Buffer`, which is a `Uint8Array` too, gives a view.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // One that has been cut off from its memory has a length of 0, and would throw.
  return bytes.length === 0 ? new Uint8Array() : new Uint8Array(bytes);
}

/**
 * Frames as a server sends them (RFC 6455, section 5): never masked, never
 * fragmented, header and payload in one buffer, so that they leave in one write.
 *
 * @module
 */

import { OPCODES } from "./frames.ts";

const FIN = 0x80;
const RSV1 = 0x40;
const MAX_HEADER_BYTES = 10;

/** Texts up to this length are encoded without knowing their size before. */
const SHORT_TEXT = 4096;
/** No string has more than three bytes of UTF-8 for each of its code units. */
const scratch = new Uint8Array(3 * SHORT_TEXT);

/** Small frames share memory: to get some for each costs more than to fill it. */
const SLAB_BYTES = 16 * 1024;
const MAX_SHARED_BYTES = 2048;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

const encoder = new TextEncoder();

/** A frame with some content, of an opcode from {@linkcode OPCODES}. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = emptyFrame(FIN | opcode, payload.length);
  frame.set(payload, frame.length - payload.length);
  return frame;
}

/** The frame of a text message. */
export function encodeTextFrame(text: string): Uint8Array {
  if (text.length > SHORT_TEXT) {
    return encodeFrame(OPCODES.text, encoder.encode(text));
  }
  const { written } = encoder.encodeInto(text, scratch);
  return encodeFrame(OPCODES.text, scratch.subarray(0, written));
}

/** The frame of a compressed message, whose content comes in chunks. */
export function encodeCompressedFrame(
  text: boolean,
  chunks: readonly Uint8Array[],
  length: number,
): Uint8Array {
  const opcode = text ? OPCODES.text : OPCODES.binary;
  const frame = emptyFrame(FIN | RSV1 | opcode, length);
  let at = frame.length - length;
  for (const chunk of chunks) {
    const room = frame.length - at;
    frame.set(chunk.length > room ? chunk.subarray(0, room) : chunk, at);
    at += chunk.length;
    if (at >= frame.length) break;
  }
  return frame;
}

/** A frame with its header written, and room for `length` bytes behind. */
function emptyFrame(first: number, length: number): Uint8Array {
  const short = length < 126;
  const medium = length < 2 ** 16;
  const headerBytes = short ? 2 : medium ? 4 : MAX_HEADER_BYTES;
  const frame = allocate(headerBytes + length);
  frame[0] = first;
  if (short) {
    frame[1] = length;
  } else if (medium) {
    frame[1] = 126;
    frame[2] = length >> 8;
    frame[3] = length;
  } else {
    frame[1] = 127;
    const view = new DataView(frame.buffer, frame.byteOffset + 2);
    view.setUint32(0, Math.floor(length / 2 ** 32));
    view.setUint32(4, length >>> 0);
  }
  return frame;
}

function allocate(size: number): Uint8Array {
  if (size > MAX_SHARED_BYTES) return new Uint8Array(size);
  if (SLAB_BYTES - slabUsed < size) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  return slab.subarray(slabUsed, slabUsed += size);
}

/**
 * Frames as a server sends them (RFC 6455, section 5): never masked, header and
 * payload in one buffer, so that they leave in one write. Of a long message that
 * is not compressed, the frame is made piece by piece, as it leaves.
 *
 * @module
 */

import { OPCODES } from "./frames.ts";
import { byteLength, type Data, isText, piecesOf } from "./pieces.ts";

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

/** What the first byte of a frame says. */
export interface FrameHeader {
  /** One of {@linkcode OPCODES}. */
  readonly opcode: number;
  /** Whether the frame is the last of its message. Default: true. */
  readonly fin?: boolean;
  /** Whether a compressed message begins with the frame. Default: false. */
  readonly compressed?: boolean;
}

/** A frame with some content, of an opcode from {@linkcode OPCODES}. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = emptyFrame({ opcode }, payload.length);
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

/** A frame that is made as it leaves. */
export interface LongFrame {
  /** How many bytes it has. */
  readonly length: number;
  /** Makes it; the pieces may be views of the message. */
  pieces(): Iterable<Uint8Array>;
}

/** The frame of a long message, which must not change until it has left. */
export function encodeLongFrame(data: Data): LongFrame {
  const opcode = isText(data) ? OPCODES.text : OPCODES.binary;
  const length = byteLength(data);
  return {
    length: headerLength(length) + length,
    *pieces() {
      for (const { bytes, first } of piecesOf(data)) {
        yield first ? beginFrame({ opcode }, length, bytes) : bytes;
      }
    },
  };
}

/** A frame whose content comes in chunks, and is the first `length` bytes of them. */
export function encodeChunks(
  header: FrameHeader,
  chunks: readonly Uint8Array[],
  length: number,
): Uint8Array {
  const frame = emptyFrame(header, length);
  let at = frame.length - length;
  for (const chunk of chunks) {
    const room = frame.length - at;
    frame.set(chunk.length > room ? chunk.subarray(0, room) : chunk, at);
    at += chunk.length;
    if (at >= frame.length) break;
  }
  return frame;
}

/** A frame with its header written, and room for its payload. */
function emptyFrame(header: FrameHeader, length: number): Uint8Array {
  const frame = allocate(headerLength(length) + length);
  writeHeader(frame, header, length);
  return frame;
}

/** The header of a frame of `length` bytes, and the first of these. */
function beginFrame(
  header: FrameHeader,
  length: number,
  first: Uint8Array,
): Uint8Array {
  const begin = new Uint8Array(headerLength(length) + first.length);
  writeHeader(begin, header, length);
  begin.set(first, headerLength(length));
  return begin;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 2 ** 16 ? 4 : MAX_HEADER_BYTES;
}

function writeHeader(
  frame: Uint8Array,
  { opcode, fin = true, compressed = false }: FrameHeader,
  length: number,
): void {
  frame[0] = opcode | (fin ? FIN : 0) | (compressed ? RSV1 : 0);
  if (length < 126) {
    frame[1] = length;
  } else if (length < 2 ** 16) {
    frame[1] = 126;
    frame[2] = length >> 8;
    frame[3] = length;
  } else {
    frame[1] = 127;
    const view = new DataView(frame.buffer, frame.byteOffset + 2);
    view.setUint32(0, Math.floor(length / 2 ** 32));
    view.setUint32(4, length >>> 0);
  }
}

function allocate(size: number): Uint8Array {
  if (size > MAX_SHARED_BYTES) return new Uint8Array(size);
  if (SLAB_BYTES - slabUsed < size) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  return slab.subarray(slabUsed, slabUsed += size);
}

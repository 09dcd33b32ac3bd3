/**
 * What it costs to parse, unmask and encode WebSocket frames.
 *
 *     deno bench bench/frames_bench.ts
 *
 * @module
 */

import {
  encodeFrame,
  encodeTextFrame,
} from "../src/websocket/frame_encoder.ts";
import { FrameDecoder, OPCODES } from "../src/websocket/frames.ts";
import { mask } from "../src/websocket/mask.ts";

const KIBIBYTE = 1024;
const SIZES = [16, KIBIBYTE, 64 * KIBIBYTE];
const KEY = 0x12345678;
const BURST = 16;
const MASKED = 0x80;

for (const size of SIZES) {
  const payload = new Uint8Array(size).fill(0x78);
  const text = "x".repeat(size);
  const sent = masked(payload);
  // Unmasking works in place: what was masked alternates with what was not.
  Deno.bench(`mask: ${size} bytes`, () => mask(payload, KEY));
  Deno.bench(`decode: a frame of ${size} bytes`, () => {
    decode(sent.slice(), 1);
  });
  Deno.bench(`encode: a binary frame of ${size} bytes`, () => {
    encodeFrame(OPCODES.binary, payload);
  });
  Deno.bench(`encode: a text frame of ${size} bytes`, () => {
    encodeTextFrame(text);
  });
}

const burst = repeat(masked(new Uint8Array(KIBIBYTE)), BURST);
Deno.bench(`decode: ${BURST} frames of 1 KiB in one chunk`, () => {
  decode(burst.slice(), BURST);
});

function decode(bytes: Uint8Array, count: number): void {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  for (let i = 0; i < count; i++) {
    if (decoder.next() === undefined) throw new Error("A frame is not whole");
  }
}

/** A frame as a client sends it: what a server sends, and a key. */
function masked(payload: Uint8Array): Uint8Array {
  const plain = encodeFrame(OPCODES.binary, payload);
  const headerBytes = plain.length - payload.length;
  const frame = new Uint8Array(plain.length + 4);
  frame.set(plain.subarray(0, headerBytes));
  frame[1] |= MASKED;
  new DataView(frame.buffer).setUint32(headerBytes, KEY);
  frame.set(payload, headerBytes + 4);
  mask(frame.subarray(headerBytes + 4), KEY);
  return frame;
}

function repeat(bytes: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(count * bytes.length);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}

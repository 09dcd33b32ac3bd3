/**
 * What it costs to read and to write HTTP/2 frames.
 *
 *     deno bench bench/http2_frames_bench.ts
 *
 * @module
 */

import { FrameReader } from "../src/http2/frame_reader.ts";
import { FrameWriter } from "../src/http2/frame_writer.ts";
import { FRAME_TYPES } from "../src/http2/frames.ts";
import { Output } from "../src/streams/output.ts";

const FRAME_BYTES = 16 * 1024;
const CHUNK_BYTES = 64 * 1024;
const REQUESTS = 100;
const BLOCK_BYTES = 40;
const HELLO = new TextEncoder().encode("Hello, World!");
const block = new Uint8Array(BLOCK_BYTES).fill(0x82);

/** The bytes of what is written. */
function record(write: (writer: FrameWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  write(new FrameWriter({ bytes: (bytes) => parts.push(bytes.slice()) }));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const requests = record((writer) => {
  for (let i = 0; i < REQUESTS; i++) writer.headers(2 * i + 1, block, true);
});
const upload = record((writer) => {
  writer.data(1, new Uint8Array(64 * FRAME_BYTES), false);
});
const tiny = record((writer) => {
  for (let i = 0; i < 1000; i++) writer.data(1, new Uint8Array(1), false);
});

/** Reads in chunks as a socket gives them; the number of frames. */
function read(bytes: Uint8Array): number {
  const reader = new FrameReader({ preface: false });
  let frames = 0;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.type !== FRAME_TYPES.GOAWAY) frames++;
    }
  }
  return frames;
}

Deno.bench(`read: ${REQUESTS} HEADERS of ${BLOCK_BYTES} bytes`, () => {
  read(requests);
});
Deno.bench("read: 1,000 DATA of 1 byte", () => {
  read(tiny);
});
Deno.bench("read: 1 MiB of DATA, in chunks of 64 KiB", () => {
  read(upload);
});

const output = new Output({ write: () => Promise.resolve() }, () => {});
const writer = new FrameWriter(output);

Deno.bench(`write: ${REQUESTS} times HEADERS and DATA`, async () => {
  for (let i = 0; i < REQUESTS; i++) {
    writer.headers(2 * i + 1, block, false);
    writer.data(2 * i + 1, HELLO, true);
  }
  await output.flush();
});

const piece = new Uint8Array(CHUNK_BYTES);
Deno.bench("write: 64 KiB of DATA", async () => {
  writer.data(1, piece, false);
  await output.flush();
});

Deno.bench("write: 100 WINDOW_UPDATEs", async () => {
  for (let i = 0; i < 100; i++) writer.windowUpdate(1, 1000);
  await output.flush();
});

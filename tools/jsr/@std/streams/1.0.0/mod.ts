/**
 * Stand-in for `@std/streams`, used where JSR is out of reach: the functions
 * that read a whole stream, over Deno's own `node:stream/consumers`. The rule
 * is that of `tools/jsr/update.ts`.
 *
 * @module
 */

import * as consumers from "node:stream/consumers";
import type { ReadableStream as NodeStream } from "node:stream/web";

/** The web stream as `node:stream/consumers` declares it: the same object. */
function asNodeStream(stream: ReadableStream): NodeStream {
  return stream as unknown as NodeStream;
}

/** Reads the whole stream into an `ArrayBuffer`. */
export async function toArrayBuffer(
  stream: ReadableStream<Uint8Array>,
): Promise<ArrayBuffer> {
  return (await toBytes(stream)).buffer as ArrayBuffer;
}

/** Reads the whole stream into one `Uint8Array`. */
export async function toBytes(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await consumers.arrayBuffer(asNodeStream(stream)));
}

/** Reads the whole stream into a `Blob`. */
export async function toBlob(
  stream: ReadableStream<Uint8Array>,
): Promise<Blob> {
  return new Blob([await toBytes(stream)]);
}

/** Reads the whole stream, of text or of UTF-8 bytes, and parses it as JSON. */
export async function toJson(
  stream: ReadableStream<Uint8Array> | ReadableStream<string>,
): Promise<unknown> {
  return JSON.parse(await toText(stream));
}

/** Reads the whole stream, of text or of UTF-8 bytes, into a string. */
export function toText(
  stream: ReadableStream<Uint8Array> | ReadableStream<string>,
): Promise<string> {
  return consumers.text(asNodeStream(stream));
}

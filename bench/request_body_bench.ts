/**
 * What it costs to take a request's content out of its framing.
 *
 *     deno bench bench/request_body_bench.ts
 *
 * @module
 */

import { ByteReader, RequestBody } from "../src/http1/mod.ts";
import { endless } from "./_transport.ts";

const KIBIBYTE = 1024;
const LARGE = 64 * KIBIBYTE;

/** Content in chunks of a size, and its end. */
function chunked(size: number, count: number): string {
  const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
  return chunk.repeat(count) + "0\r\n\r\n";
}

async function readAll(
  reader: ByteReader,
  framing: number | "chunked",
): Promise<void> {
  const body = new RequestBody(reader, framing);
  while (await body.read() !== null);
}

const BODIES: Record<string, [text: string, framing: number | "chunked"]> = {
  "1 KiB with a length": ["x".repeat(KIBIBYTE), KIBIBYTE],
  "64 KiB with a length": ["x".repeat(LARGE), LARGE],
  "1 KiB in one chunk": [chunked(KIBIBYTE, 1), "chunked"],
  "64 KiB in 16 chunks": [chunked(LARGE / 16, 16), "chunked"],
  "1 KiB in 128 chunks": [chunked(8, 128), "chunked"],
};

for (const [name, [text, framing]] of Object.entries(BODIES)) {
  const reader = new ByteReader(endless(text));
  // Only what is declared async is awaited.
  Deno.bench(`request body: ${name}`, async () => {
    await readAll(reader, framing);
  });
}

/**
 * What it costs to parse a request's head, its chunk's way through the stream
 * included: a small one, one of a browser, and sixteen that come in one chunk.
 *
 *     deno bench bench/request_head_bench.ts
 *
 * @module
 */

import { ByteReader, RequestHeadParser } from "../src/http1/mod.ts";
import { BROWSER_REQUEST, SMALL_REQUEST } from "./_requests.ts";
import { endless } from "./_transport.ts";

const BURST = 16;

const REQUESTS: Record<string, string> = {
  "small": SMALL_REQUEST,
  "30 fields of a browser": BROWSER_REQUEST,
};

for (const [name, request] of Object.entries(REQUESTS)) {
  const parser = new RequestHeadParser(new ByteReader(endless(request)));
  Deno.bench(`request head: ${name}`, async () => {
    await parser.read();
  });
}

const burst = endless(SMALL_REQUEST.repeat(BURST));
const parser = new RequestHeadParser(new ByteReader(burst));
Deno.bench(`request head: ${BURST} small ones in one chunk`, async () => {
  for (let i = 0; i < BURST; i++) await parser.read();
});

// As slow as a network may be: one byte a chunk.
Deno.bench("request head: small, byte by byte", async () => {
  const bytes = new TextEncoder().encode(SMALL_REQUEST);
  let at = 0;
  const trickle = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes.slice(at, ++at)),
  }, { highWaterMark: 0 });
  await new RequestHeadParser(new ByteReader(trickle)).read();
});

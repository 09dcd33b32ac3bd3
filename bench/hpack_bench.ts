/**
 * What it costs to decode a browser's request and to encode a response: on a new
 * connection, where most fields are literals, and later, where most are indexes.
 *
 *     deno bench bench/hpack_bench.ts
 *
 * @module
 */

import {
  type Field,
  HpackDecoder,
  HpackEncoder,
} from "../src/http2/hpack/mod.ts";

const REQUEST: readonly Field[] = [
  [":method", "GET"],
  [":authority", "www.example.com"],
  [":scheme", "https"],
  [":path", "/"],
  ["cache-control", "max-age=0"],
  ["sec-ch-ua", '"Chromium";v="156", "Not A(Brand";v="24"'],
  ["sec-ch-ua-mobile", "?0"],
  ["sec-ch-ua-platform", '"Linux"'],
  ["upgrade-insecure-requests", "1"],
  [
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  ],
  [
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  ],
  ["sec-fetch-site", "none"],
  ["sec-fetch-mode", "navigate"],
  ["sec-fetch-user", "?1"],
  ["sec-fetch-dest", "document"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["accept-language", "en-US,en;q=0.9"],
  ["priority", "u=0, i"],
];

/** Not indexed by an encoder, so it is decoded each time. */
const PATH: Field = [":path", "/articles/2026/11/hpack?utm_source=newsletter"];

const RESPONSE: readonly Field[] = [
  [":status", "200"],
  ["content-type", "text/plain; charset=utf-8"],
  ["content-length", "13"],
  ["date", "Sat, 21 Nov 2026 18:00:00 GMT"],
  ["server", "asgi"],
];

const SAME_RESPONSE = RESPONSE.filter(([name]) => name !== "content-length");

benchDecoding("a browser's request, all indexed", REQUEST);
benchDecoding(
  "a browser's request, another path",
  REQUEST.map((field) => field[0] === ":path" ? PATH : field),
);

Deno.bench("hpack: decode a browser's first request", () => {
  new HpackDecoder().decode(firstBlock);
});
const firstBlock = new HpackEncoder().encode(REQUEST);

benchEncoding("a response, all indexed", SAME_RESPONSE);
benchEncoding("a response with content-length", RESPONSE);
benchEncoding("a browser's request, all indexed", REQUEST);

Deno.bench("hpack: encode a first response", () => {
  new HpackEncoder().encode(RESPONSE);
});

/** Decodes a block that an encoder made when it had sent these fields before. */
function benchDecoding(name: string, fields: readonly Field[]): void {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  decoder.decode(encoder.encode(fields));
  const block = encoder.encode(fields);
  Deno.bench(`hpack: decode ${name} (${block.length} bytes)`, () => {
    decoder.decode(block);
  });
}

function benchEncoding(name: string, fields: readonly Field[]): void {
  const encoder = new HpackEncoder();
  encoder.encode(fields);
  Deno.bench(`hpack: encode ${name}`, () => {
    encoder.encode(fields);
  });
}

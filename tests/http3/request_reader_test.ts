// Which frames a request may have, and what ends its connection.

import { assertEquals } from "@std/assert";
import { encodeVarints } from "../../src/http3/varint.ts";
import { concat, data, frame, headers, numbers } from "./_frames.ts";
import { echo, readResponse, requestFields, serve } from "./_serving.ts";

const HEAD = headers(requestFields("POST"));
const TRAILERS = headers([["t", "1"]]);

async function codeFor(...frames: Uint8Array[]): Promise<number | undefined> {
  const wire = concat(...frames);
  const codes = await Promise.all([1, wire.length].map(async (size) => {
    const serving = serve();
    const stream = serving.quic.open();
    for (let at = 0; at < wire.length; at += size) {
      stream.inbound.send(wire.slice(at, at + size));
    }
    stream.inbound.end();
    await serving.settled();
    const { closeCode } = serving;
    await serving.leave();
    return closeCode;
  }));
  assertEquals(codes[0], codes[1], "byte by byte, and whole");
  return codes[0];
}

const ALLOWED: Record<string, Uint8Array[]> = {
  "a head": [HEAD],
  "content": [HEAD, data("abc"), data(""), data("d")],
  "trailers": [HEAD, data("abc"), TRAILERS],
  "trailers without content": [HEAD, TRAILERS],
  "unknown frames": [
    numbers(0x21),
    HEAD,
    numbers(0x21, 1, 2),
    data("a"),
    TRAILERS,
    numbers(0x21),
  ],
};

for (const [what, frames] of Object.entries(ALLOWED)) {
  Deno.test(`A request may have ${what}`, async () => {
    assertEquals(await codeFor(...frames), undefined);
  });
}

const REFUSED: [what: string, code: number, ...frames: Uint8Array[]][] = [
  ["content first", 0x105, data("a")],
  ["content after trailers", 0x105, HEAD, TRAILERS, data("a")],
  ["three sections of fields", 0x105, HEAD, TRAILERS, TRAILERS],
  ["SETTINGS", 0x105, HEAD, numbers(0x04)],
  ["GOAWAY", 0x105, numbers(0x07, 0)],
  ["CANCEL_PUSH", 0x105, HEAD, numbers(0x03, 0)],
  ["PUSH_PROMISE", 0x105, HEAD, numbers(0x05, 0)],
  ["MAX_PUSH_ID", 0x105, HEAD, numbers(0x0d, 0)],
  ["PRIORITY_UPDATE", 0x105, HEAD, numbers(0xf0700, 0)],
  ["WINDOW_UPDATE", 0x105, HEAD, numbers(0x08, 0)],
  ["a frame that is cut", 0x106, HEAD, data("abc").subarray(0, 3)],
  ["a head that is cut", 0x106, HEAD.subarray(0, 5)],
  ["an unknown frame that is cut", 0x106, HEAD, encodeVarints(0x21, 5)],
  ["a length that is cut", 0x106, HEAD, Uint8Array.of(0)],
  ["a type that is cut", 0x106, HEAD, Uint8Array.of(0x40)],
  ["fields of no table", 0x200, frame(1, Uint8Array.of(0, 0, 0x80))],
  ["fields of an insert", 0x200, frame(1, Uint8Array.of(2, 0, 0x80))],
  ["no fields at all", 0x200, frame(1, new Uint8Array())],
  ["trailers of no table", 0x200, HEAD, frame(1, Uint8Array.of(0, 0, 0x80))],
];

for (const [what, code, ...frames] of REFUSED) {
  Deno.test(`A request must not have ${what}`, async () => {
    assertEquals(await codeFor(...frames), code);
  });
}

Deno.test("A tunnel has content only", async () => {
  const connect = headers([
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", "/"],
  ]);
  assertEquals(await codeFor(connect, data("a"), numbers(0x21)), undefined);
  assertEquals(await codeFor(connect, data("a"), TRAILERS), 0x105);
});

Deno.test("Frames that carry nothing have a budget", async () => {
  for (const useless of [numbers(0x21), data("")]) {
    const serving = serve();
    const stream = serving.send(HEAD);
    for (let i = 0; i < 1011; i++) stream.inbound.send(useless);
    await serving.done;
    assertEquals(serving.closeCode, 0x107);
  }
});

Deno.test("Small frames that come together are one piece of content", async () => {
  let pieces = 0;
  const serving = serve(async (exchange) => {
    const { readBody } = exchange;
    exchange.readBody = () => {
      pieces++;
      return readBody.call(exchange);
    };
    await echo(exchange);
  });
  const many = Array.from({ length: 1000 }, () => data("x"));
  const stream = serving.send(concat(HEAD, ...many), true);
  await serving.settled();
  assertEquals(readResponse(stream).frames[1], `POST / ${"x".repeat(1000)}`);
  assertEquals(pieces, 2, "the content, and its end");
  await serving.leave();
});

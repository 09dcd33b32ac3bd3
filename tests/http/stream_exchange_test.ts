// What an exchange does to its stream. How that looks on the wire of a version is
// in the tests of that version.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { RequestFields } from "../../src/http/request_fields.ts";
import { StreamExchange } from "../../src/http/stream_exchange.ts";
import { bytes } from "../_feeding.ts";
import { FakeStream } from "./_fake_stream.ts";

function exchangeOn(
  stream: FakeStream,
  request: Partial<RequestFields> = {},
): { exchange: StreamExchange<FakeStream>; released: FakeStream[] } {
  const released: FakeStream[] = [];
  const exchange = new StreamExchange(
    {
      method: "GET",
      target: { path: "/", query: "" },
      headers: [],
      protocol: undefined,
      contentLength: undefined,
      expectsContinue: false,
      priority: undefined,
      ...request,
    },
    stream,
    {
      version: "3",
      options: {
        bodyTimeout: 1000,
        earlyHints: false,
        dateHeader: false,
        serverHeader: null,
      },
      released: (stream) => released.push(stream),
    },
  );
  return { exchange, released };
}

Deno.test("The head waits for content, and a response may end with it", async () => {
  const stream = new FakeStream();
  const { exchange } = exchangeOn(stream);
  exchange.head(204, []);
  assertEquals(stream.events, []);
  await exchange.data(new Uint8Array(0), true);
  assertEquals(stream.events, [["headers", [[":status", "204"]], true]]);
  assertEquals([exchange.complete, exchange.aborted], [true, false]);
  assertEquals(exchange.request.version, "3");
});

Deno.test("Content and trailers follow the head", async () => {
  const stream = new FakeStream();
  const { exchange } = exchangeOn(stream);
  exchange.head(200, []);
  await exchange.data(bytes("a"), false);
  await exchange.trailers([["t", "1"]]);
  assertEquals(stream.events, [
    ["headers", [[":status", "200"]], false],
    ["data", "a", false],
    ["trailers", [["t", "1"]], true],
  ]);
  assertEquals(exchange.bytesSent, 1);
});

Deno.test("A client that waits for a 100 gets it when content is wanted", async () => {
  const stream = new FakeStream();
  stream.isOpen = true;
  const { exchange } = exchangeOn(stream, { expectsContinue: true });
  stream.onArrival = Promise.resolve().then(() => {
    stream.content.push(bytes("x"));
    stream.isOpen = false;
  });
  assertEquals(await exchange.readBody(), bytes("x"));
  assertEquals(stream.events, [["headers", [[":status", "100"]], false]]);
  assertEquals(await exchange.readBody(), null);
});

Deno.test("A head that is too large for the client changes nothing", async () => {
  const stream = new FakeStream();
  stream.maxFields = 3;
  const { exchange } = exchangeOn(stream);
  assertThrows(
    () => exchange.head(200, [["a", "1"], ["b", "2"], ["c", "3"]]),
    RangeError,
  );
  await exchange.refuse(500);
  assertEquals([exchange.status, exchange.refusal], [500, 500]);
});

Deno.test("Content that misses its length is cut", () => {
  const stream = new FakeStream();
  const { exchange } = exchangeOn(stream);
  exchange.head(200, [["content-length", "2"]]);
  assertThrows(() => exchange.data(bytes("abc"), false), RangeError);
  assertEquals(stream.events, [["reset", "INTERNAL_ERROR"]]);
  assertEquals(exchange.aborted, true);
});

Deno.test("A stream is released when nothing works on the exchange", () => {
  const stream = new FakeStream();
  const { exchange, released } = exchangeOn(stream);
  exchange.callBegan();
  exchange.callReturned();
  assertEquals(released, []);
  exchange.callReturned();
  assertEquals([released, stream.isHandled], [[stream], false]);
});

Deno.test("Only a request that asks for another protocol is upgraded", async () => {
  const plain = exchangeOn(new FakeStream()).exchange;
  await assertRejects(() => plain.upgrade([]), Error, "no other protocol");
  const stream = new FakeStream();
  const { exchange } = exchangeOn(stream, { protocol: "websocket" });
  await exchange.upgrade([]);
  assertEquals(stream.isTunnel, true);
  assertEquals(stream.events, [["headers", [[":status", "200"]], false]]);
});

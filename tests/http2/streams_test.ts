// The streams of a connection: how many there are, and which are answered
// without a handler.

import { assertEquals } from "@std/assert";
import type { RefusedBytes } from "../../src/http/served_connection.ts";
import { settled } from "./_in_memory.ts";
import { echo, leave, respond, serve } from "./_serving.ts";

Deno.test("A stream above the limit is refused, and can be tried again", async () => {
  const wait = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await wait.promise;
    await respond(exchange, "x");
  }, { maxConcurrentStreams: 2 });
  const { client, connection } = connected;
  const meter = {
    http2StreamsOpen: 0,
    http2StreamsRefused: 0,
    http2ConnectionsClosedForAbuse: 0,
  };
  connection.meter = meter;
  const [one, two, three] = [client.open(), client.open(), client.open()];
  assertEquals(await three.reset(), "REFUSED_STREAM");
  assertEquals(meter.http2StreamsOpen, 2);
  wait.resolve();
  await Promise.all([one.response(), two.response()]);
  assertEquals((await client.request()).content, "x");
  assertEquals(meter, {
    http2StreamsOpen: 0,
    http2StreamsRefused: 1,
    http2ConnectionsClosedForAbuse: 0,
  });
  await leave(connected);
});

Deno.test("A stream that was reset counts until its handler is done", async () => {
  const wait = Promise.withResolvers<void>();
  using connected = serve(async () => {
    await wait.promise;
  }, { maxConcurrentStreams: 1 });
  const { client } = connected;
  const first = client.open();
  await settled();
  first.cancel();
  assertEquals(await client.open().reset(), "REFUSED_STREAM");
  wait.resolve();
  await settled();
  const last = client.open();
  await last.response();
  assertEquals(last.status, 500);
  await leave(connected);
});

Deno.test("A request past a limit is answered without the handler", async () => {
  const refused: RefusedBytes[] = [];
  using connected = serve(echo, {
    maxHeaders: 10,
    maxHeaderBytes: 2000,
    maxRequestLineBytes: 100,
    maxBodyBytes: 10,
  });
  const { client, connection } = connected;
  connection.onRefused = (bytes) => refused.push(bytes);
  const many = Array.from({ length: 11 }, (_, i) => [`x-${i}`, ""] as const);
  const status = async (request: Parameters<typeof client.request>[0]) =>
    (await client.request(request)).status;
  assertEquals(await status({ headers: many.slice(1) }), 200);
  assertEquals(await status({ headers: many }), 431);
  assertEquals(await status({ headers: [["x", "y".repeat(2000)]] }), 431);
  assertEquals(await status({ path: `/${"x".repeat(100)}` }), 414);
  assertEquals(
    await status({ headers: [["expect", "tea"]], content: "" }),
    417,
  );
  assertEquals(
    await status({ headers: [["content-length", "11"]], content: "" }),
    413,
  );
  assertEquals(await status({ method: "CONNECT", protocol: "x" }), 400);
  const connect = [[":method", "CONNECT"], [":authority", "a:1"]] as const;
  assertEquals(await status({ fields: connect }), 501);
  assertEquals(
    refused.map(({ status }) => status),
    [431, 431, 414, 417, 413, 400, 501],
  );
  await leave(connected);
});

Deno.test("A malformed request is a stream error", async () => {
  using connected = serve(echo);
  const { client } = connected;
  const malformed = [
    { headers: [["Upper", "1"]] },
    { headers: [["connection", "close"]] },
    { headers: [["te", "gzip"]] },
    { headers: [["content-length", "1"]] },
    { fields: [[":method", "GET"]] },
    { path: "no-slash" },
    { scheme: "ftp" },
  ] as const;
  for (const request of malformed) {
    const stream = await client.request(request);
    assertEquals(stream.resetCode, "PROTOCOL_ERROR", JSON.stringify(request));
  }
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

Deno.test("A stream that was reset counts until what works on it is done", async () => {
  let hold: (() => void) | undefined;
  using connected = serve(async (exchange) => {
    if (hold !== undefined) return await respond(exchange, "x");
    exchange.callBegan();
    hold = () => exchange.callReturned();
    exchange.abort();
  }, { maxConcurrentStreams: 1 });
  const { client } = connected;
  assertEquals(await client.open().reset(), "INTERNAL_ERROR");
  assertEquals(await client.open().reset(), "REFUSED_STREAM");
  hold!();
  assertEquals((await client.request()).content, "x");
  await leave(connected);
});

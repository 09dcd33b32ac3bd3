// A connection in memory, end to end: many requests at once, and its end.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Http2Connection } from "../../src/http2/connection.ts";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { DEFAULT_HTTP2_OPTIONS } from "../../src/http2/options.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { bytes } from "../_feeding.ts";
import { MemoryTransport } from "../http/_memory_transport.ts";
import { settled } from "./_in_memory.ts";
import { echo, leave, respond, serve } from "./_serving.ts";

Deno.test("Requests of one connection are handled at once", async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  using connected = serve(async (exchange) => {
    const wait = Promise.withResolvers<void>();
    waiting.push(wait);
    await wait.promise;
    await respond(exchange, exchange.request.target.path);
  });
  const { client } = connected;
  const streams = client.together(() =>
    ["/1", "/2", "/3"].map((path) => client.open({ path }))
  );
  await settled();
  assertEquals(waiting.length, 3);
  // The last one is answered first.
  for (const { resolve } of waiting.reverse()) {
    resolve();
    await settled();
  }
  assertEquals(streams.map(({ content }) => content), ["/1", "/2", "/3"]);
  await leave(connected);
});

Deno.test("The answers to what came together leave in one write", async () => {
  using connected = serve(echo);
  const { client, transport } = connected;
  await settled();
  const before = transport.writes;
  client.together(() => {
    for (let i = 0; i < 20; i++) client.open({ path: `/${i}` });
  });
  await client.until(() =>
    [...client.streams.values()].every(({ complete }) => complete)
  );
  assertEquals(transport.writes - before, 1);
  await leave(connected);
});

Deno.test("A handler that fails gets a 500, and the other requests theirs", async () => {
  using connected = serve(async (exchange) => {
    const { path } = exchange.request.target;
    if (path === "/throw") throw new Error("of the test");
    if (path === "/418") throw new HttpError(418, "of the test");
    if (path !== "/nothing") await respond(exchange, path);
  });
  const { client } = connected;
  const streams = await Promise.all(
    ["/throw", "/nothing", "/418", "/good"].map((path) =>
      client.request({ path })
    ),
  );
  assertEquals(streams.map(({ status }) => status), [500, 500, 418, 200]);
  const lost = await leave(connected).then(() => undefined, (error) => error);
  assertEquals(lost.message, "of the test");
});

Deno.test("A request that is reset at once is not handled", async () => {
  const seen: string[] = [];
  using connected = serve(async (exchange) => {
    seen.push(exchange.request.target.path);
    await respond(exchange, "");
  });
  const { client } = connected;
  await settled();
  client.together(() => {
    client.open({ path: "/reset" }).cancel();
    client.open({ path: "/served" });
  });
  await settled();
  assertEquals(seen, ["/served"]);
  await leave(connected);
});

Deno.test("At the end of the client, what it has asked for is sent", async () => {
  const wait = Promise.withResolvers<void>();
  let seen: Http2Exchange | undefined;
  using connected = serve(async (exchange) => {
    seen = exchange;
    await wait.promise;
    await respond(exchange, "late");
  });
  const { client, transport } = connected;
  const stream = client.open();
  await settled();
  transport.end();
  await settled();
  assertEquals(seen?.disconnect, "half-closed");
  wait.resolve();
  await stream.response();
  assertEquals(stream.content, "late");
  await connected.done;
  assert(transport.closed);
});

Deno.test("abort() closes the connection, and all handlers learn of it", async () => {
  const lost: unknown[] = [];
  using connected = serve(async (exchange) => {
    await exchange.readBody().catch((error) => lost.push(error));
  });
  const { client, connection, transport } = connected;
  client.open({ method: "POST" }, false);
  client.open({ method: "POST" }, false);
  await settled();
  connection.abort();
  await connected.done.catch(() => {});
  await settled();
  assertEquals(lost.length, 2);
  assert(transport.closed);
});

Deno.test("An idle connection that was used can be evicted", async () => {
  using connected = serve(echo);
  const { client, connection } = connected;
  await settled();
  assert(connection.idle);
  assert(!connection.evictable);
  assert(connection.waitingSince !== undefined);
  const reported: boolean[] = [];
  connection.onIdle = () => reported.push(connection.evictable);
  await client.request();
  await settled();
  assertEquals(reported, [true]);
  assert(connection.evictable);
  assertEquals(connection.waitingSince, undefined);
  connection.evict();
  await connected.done;
  assertEquals(client.goAways, ["NO_ERROR"]);
});

Deno.test("Options that can't be had are refused", () => {
  const transport = new MemoryTransport();
  assertThrows(
    () =>
      new Http2Connection(transport, echo, {
        ...DEFAULT_HTTP2_OPTIONS,
        http2StreamWindow: 1000,
      }),
    RangeError,
    "Cannot set http2StreamWindow to 1000",
  );
});

Deno.test("The table of the client is used as its SETTINGS say, up and down", async () => {
  using connected = serve(async (exchange) => {
    exchange.head(200, [["x-name", "a value for the table"]]);
    await exchange.data(bytes("x"), true);
  });
  const { client } = connected;
  // The test client refuses what does not go by its limits.
  for (const size of [4_096, 0, 100, 100_000, 31, 4_096]) {
    client.settings({ HEADER_TABLE_SIZE: size });
    for (let round = 0; round < 2; round++) {
      const { headers } = await client.request();
      assertEquals(headers, [["x-name", "a value for the table"]]);
    }
  }
  await leave(connected);
});

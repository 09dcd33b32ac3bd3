// How a connection ends without losing a request (RFC 9113, section 6.8): the
// server leaves in two steps, and so may its client.

import { assert, assertEquals } from "@std/assert";
import { settledSoon } from "../_turns.ts";
import { Random } from "../websocket/_random.ts";
import { abort, routes } from "./_outcomes.ts";
import { leave, left, respond, serve } from "./_serving.ts";

/** Answers when the test says so. */
function gated() {
  const gate = Promise.withResolvers<void>();
  const calls: string[] = [];
  const connected = serve(
    async (exchange) => {
      const { path } = exchange.request.target;
      calls.push(path);
      await gate.promise;
      await respond(exchange, path);
    },
    {},
    { acknowledges: false },
  );
  // Of SETTINGS only: the PING before the second step is for the test.
  connected.client.frame("SETTINGS", 1, 0);
  return { connected, calls, open: gate.resolve };
}

/** Acknowledges the PING that comes with the first GOAWAY. */
function acknowledge(client: ReturnType<typeof gated>["connected"]["client"]) {
  const [{ payload }] = client.seen("PING").filter(({ ack }) => !ack);
  client.frame("PING", 1, 0, Uint8Array.from(payload, (c) => c.charCodeAt(0)));
}

Deno.test("a request on its way when the shutdown begins is served", async () => {
  const { connected, calls, open } = gated();
  using _connected = connected;
  const { client, connection } = connected;
  const before = client.open({ path: "/before" });
  await settledSoon();
  connection.shutdown();
  await client.until(() => client.goAways.length === 1);
  assertEquals(client.seen("GOAWAY")[0].last, 2 ** 31 - 1);
  const between = client.open({ path: "/between" });
  acknowledge(client);
  const after = client.open({ path: "/after" });
  await client.until(() => client.goAways.length === 2);
  assertEquals(client.seen("GOAWAY")[1].last, between.id);
  open();
  assertEquals((await before.response()).content, "/before");
  assertEquals((await between.response()).content, "/between");
  await client.closed();
  assertEquals([after.status, after.resetCode], [0, undefined]);
  assertEquals(calls, ["/before", "/between"]);
  await left(connected);
});

Deno.test("a client that does not acknowledge is given a second", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client, connection, transport } = connected;
  const stream = client.open({ path: "/slow" });
  await settledSoon();
  connection.shutdown();
  await transport.passTime(999);
  assertEquals(client.goAways.length, 1);
  await transport.passTime(1);
  assertEquals(client.goAways.length, 2);
  open();
  assertEquals((await stream.response()).content, "/slow");
  await left(connected);
});

Deno.test("an idle connection is given 300 ms, and serves what comes in them", async () => {
  for (const comes of [true, false]) {
    const { connected, open } = gated();
    using _connected = connected;
    const { client, connection, transport } = connected;
    open();
    connection.shutdown();
    await transport.passTime(200);
    const stream = comes ? client.open({ path: "/late" }) : undefined;
    await transport.passTime(1_000);
    if (stream !== undefined) {
      assertEquals((await stream.response()).content, "/late");
    }
    assertEquals(client.goAways, ["NO_ERROR", "NO_ERROR"]);
    await left(connected);
  }
});

Deno.test("a shutdown is begun once, and `last` never grows", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client, connection, transport } = connected;
  client.open();
  await settledSoon();
  for (let i = 0; i < 3; i++) connection.shutdown();
  await transport.passTime(2_000);
  client.open();
  connection.shutdown();
  await settledSoon();
  assertEquals(client.seen("GOAWAY").map(({ last }) => last), [2 ** 31 - 1, 1]);
  open();
  await left(connected);
});

Deno.test("what is left out after the second GOAWAY keeps the tables in step", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client, connection, transport } = connected;
  const upload = client.open({ method: "POST" }, false);
  await settledSoon();
  connection.shutdown();
  await transport.passTime(1_000);
  const late = client.open(
    { path: "/late", headers: [["x-new", "entry"]] },
    false,
  );
  client.data(late.id, new Uint8Array(10_000));
  client.windowUpdate(late.id, 100);
  late.cancel();
  upload.sendTrailers([["x-new", "entry"]]);
  open();
  assertEquals((await upload.response()).status, 200);
  assertEquals(client.goAways, ["NO_ERROR", "NO_ERROR"]);
  await left(connected);
});

Deno.test("maxRequestsPerConnection ends with the last of them, and loses none", async () => {
  const calls: string[] = [];
  using connected = serve(async (exchange) => {
    calls.push(exchange.request.target.path);
    await respond(exchange, "served");
  }, { maxRequestsPerConnection: 3 });
  const { client } = connected;
  const streams = client.together(() =>
    ["/1", "/2", "/3", "/4"].map((path) => client.open({ path }))
  );
  await client.closed();
  const [{ last: first }, { last }] = client.seen("GOAWAY");
  assertEquals([first, last >= 5], [2 ** 31 - 1, true]);
  for (const stream of streams) {
    // Above `last` it was not handled, and can be tried again elsewhere.
    const isServed = stream.id <= last;
    assertEquals(stream.content, isServed ? "served" : "");
    assertEquals(calls.includes(`/${(stream.id + 1) / 2}`), isServed);
  }
  await left(connected);
});

Deno.test("a client that leaves gets its responses, and then the end", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client } = connected;
  const streams = [client.open({ path: "/1" }), client.open({ path: "/2" })];
  client.goAway();
  await settledSoon();
  assert(!client.ended);
  open();
  for (const stream of streams) assert((await stream.response()).complete);
  await left(connected);
});

Deno.test("a client that leaves with an error gets what it has asked for", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client } = connected;
  const stream = client.open({ path: "/1" });
  client.goAway("INTERNAL_ERROR", 2 ** 31 - 1);
  open();
  assertEquals((await stream.response()).content, "/1");
  await left(connected);
});

Deno.test("an error of the client comes after the responses that were complete", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const streams = Array.from(
    { length: 5 },
    (_, i) => client.open({ path: `/${i}` }),
  );
  for (const stream of streams) await stream.response();
  client.frame("PING", 0, 7, new Uint8Array(8));
  await client.closed();
  const [{ code, last, debug }] = client.seen("GOAWAY");
  assertEquals([code, last], ["PROTOCOL_ERROR", 9]);
  assert(debug.length < 200);
  assert(streams.every(({ complete }) => complete));
  await left(connected);
});

Deno.test("an evicted connection says so, and a busy one stays", async () => {
  const { connected, open } = gated();
  using _connected = connected;
  const { client, connection } = connected;
  const stream = client.open({ path: "/busy" });
  await settledSoon();
  connection.evict();
  open();
  assertEquals((await stream.response()).content, "/busy");
  await settledSoon();
  assert(connection.evictable);
  connection.evict();
  await client.closed();
  assertEquals(client.goAways, ["NO_ERROR"]);
  await left(connected);
});

Deno.test("whenever a shutdown comes, each request is served whole, or not at all", async () => {
  const random = new Random(31);
  for (let round = 0; round < 40; round++) {
    let calls = 0;
    using connected = serve(async (exchange) => {
      calls++;
      for (let i = random.integer(0, 3); i > 0; i--) await settledSoon();
      await respond(exchange, exchange.request.target.path);
    });
    const { client, connection, transport } = connected;
    const shutdownAt = random.integer(0, 19);
    for (let i = 0; i < 20; i++) {
      if (i === shutdownAt) connection.shutdown();
      if (client.goAways.length === 0) client.open({ path: `/${i}` });
      if (random.chance(0.5)) await settledSoon();
    }
    await transport.passTime(1_000);
    await client.closed();
    for (const { content, complete } of client.streams.values()) {
      assert(complete && content.startsWith("/"));
    }
    assertEquals(calls, client.streams.size);
    await left(connected);
  }
});

Deno.test("abort() amid a shutdown ends at once", async () => {
  const { connected } = gated();
  using _connected = connected;
  connected.client.open();
  await settledSoon();
  connected.connection.shutdown();
  await abort(connected);
  assert(connected.transport.closed);
});

Deno.test("a connection that nobody used ends when it is shut down", async () => {
  using connected = serve(routes);
  connected.connection.shutdown();
  await connected.transport.passTime(300);
  await left(connected);
  using other = serve(routes);
  await leave(other);
});

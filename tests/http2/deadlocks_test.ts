// Where flow control could stop everything for good (RFC 9113, section 5.2.2):
// each time, something else must go on, and bring the rest with it.

import { assert, assertEquals } from "@std/assert";
import { settledSoon } from "../_turns.ts";
import { abort, disconnected } from "./_outcomes.ts";
import { echo, leave, respond, serve } from "./_serving.ts";

const PIECE = new Uint8Array(10_000);

Deno.test("a WINDOW_UPDATE for a stream whose content is complete changes nothing", async () => {
  using connected = serve((exchange) => respond(exchange, "x".repeat(65_535)));
  const { client } = connected;
  client.autoCredit = false;
  const stream = await client.request();
  stream.grant(65_535);
  client.windowUpdate(0, 65_535);
  assertEquals((await client.request()).content.length, 65_535);
  await leave(connected);
});

Deno.test("a stream that has used up the connection's window leaves it to others", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      for (let i = 0; i < 20; i++) await exchange.data(PIECE, i === 19);
    },
    {},
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 1_000_000 } },
  );
  const { client } = connected;
  const first = client.open();
  await first.contentOf(65_535);
  const urgent = client.open({ headers: [["priority", "u=0"]] });
  await urgent.head();
  assertEquals(urgent.received, 0);
  client.windowUpdate(0, 100_000);
  await client.sync();
  assert(urgent.received >= 50_000, `${urgent.received} bytes`);
  client.windowUpdate(0, 300_000);
  assertEquals((await urgent.response()).received, 200_000);
  assertEquals((await first.response()).received, 200_000);
  await leave(connected);
});

Deno.test("a stream that is reset gives its unread content back", async () => {
  using connected = serve((exchange) => {
    const { path } = exchange.request.target;
    return path === "/hold" ? disconnected(exchange) : echo(exchange);
  }, { http2BufferBytes: 65_535 });
  const { client } = connected;
  await client.sync();
  const holders = Array.from(
    { length: 5 },
    () => client.open({ method: "POST", path: "/hold" }, false),
  );
  for (const stream of holders) {
    const { sendable } = stream;
    await stream.send(new Uint8Array(sendable));
  }
  await settledSoon();
  const waiting = client.open({ method: "POST" }, false);
  const sending = waiting.send("x".repeat(100_000), true);
  await settledSoon();
  assert(client.rules.sendWindow < 100_000);
  for (const stream of holders) stream.cancel();
  await sending;
  assertEquals((await waiting.response()).received, 100_007);
  await leave(connected);
});

Deno.test("a stream that is reset amid its response leaves its window to others", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      for (let i = 0; i < 20; i++) await exchange.data(PIECE, i === 19);
    },
    {},
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 1_000_000 } },
  );
  const { client } = connected;
  const first = client.open();
  await first.contentOf(65_535);
  const second = client.open();
  first.cancel();
  client.windowUpdate(0, 200_000);
  assertEquals((await second.response()).received, 200_000);
  await leave(connected);
});

Deno.test("an application that only sends, and never receives, is served", async () => {
  using connected = serve(async (exchange) => {
    exchange.head(200, []);
    for (let i = 0; i < 100; i++) await exchange.data(PIECE, i === 99);
  });
  const { client } = connected;
  await client.sync();
  const stream = client.open({ method: "POST" }, false);
  // More than anybody takes: the rest is not sent.
  const sending = stream.send(new Uint8Array(2_000_000), true);
  assertEquals((await stream.response()).received, 1_000_000);
  await connected.transport.passTime(5_000);
  await sending;
  assertEquals(stream.resetCode, "NO_ERROR");
  assertEquals((await client.request()).received, 1_000_000);
  await leave(connected);
});

Deno.test("a client that waits for 100, and for a window, gets both", async () => {
  using connected = serve(echo);
  const { client } = connected;
  await client.sync();
  const hold = client.open({ method: "POST" }, false);
  await hold.send("x".repeat(hold.sendable));
  const stream = client.open({
    method: "POST",
    headers: [["expect", "100-continue"]],
  }, false);
  await stream.until(() => stream.informational.length > 0);
  assertEquals(stream.informational[0].status, 100);
  await stream.send("y".repeat(600_000), true);
  assertEquals((await stream.response()).received, 600_007);
  client.data(hold.id, "", true);
  await hold.response();
  await leave(connected);
});

Deno.test("a client that has ended gets what its windows allow, and no more", async () => {
  const lost: string[] = [];
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      const { path } = exchange.request.target;
      try {
        for (let i = 0; i < 20; i++) await exchange.data(PIECE, i === 19);
      } catch {
        lost.push(path);
      }
    },
    {},
    { autoCredit: false },
  );
  const { client, transport, done } = connected;
  client.windowUpdate(0, 1_000_000);
  const [large, small] = [client.open({ path: "/large" }), client.open()];
  small.grant(1_000_000);
  transport.end();
  assertEquals((await small.response()).received, 200_000);
  await large.response();
  assertEquals([large.complete, large.received], [false, 65_535]);
  await done;
  assertEquals(lost, ["/large"]);
});

Deno.test("no update is lost while the transport does not take anything", async () => {
  using connected = serve(echo);
  const { client, transport } = connected;
  await client.sync();
  transport.stallWrites();
  const content = "x".repeat(200_000);
  const streams = [1, 2, 3].map(() => {
    const stream = client.open({ method: "POST" }, false);
    return { stream, sending: stream.send(content, true) };
  });
  await settledSoon();
  transport.acceptWrites();
  for (const { stream, sending } of streams) {
    await sending;
    assertEquals((await stream.response()).received, 200_007);
  }
  await leave(connected);
});

Deno.test("a handler that reads while nothing can be sent, and one that sends while nothing comes", async () => {
  using connected = serve(async (exchange) => {
    // All of the answer before all of the request, on a window for neither.
    exchange.head(200, []);
    const sending = exchange.data(new Uint8Array(300_000), false);
    let read = 0;
    for (let chunk; (chunk = await exchange.readBody()) !== null;) {
      read += chunk.length;
    }
    await sending;
    await exchange.data(new TextEncoder().encode(String(read)), true);
  }, { http2StreamWindow: 65_535 });
  const { client } = connected;
  const content = new Uint8Array(500_000);
  const stream = await client.request({ method: "POST", content });
  assert(stream.content.endsWith("500000"));
  await abort(connected);
});

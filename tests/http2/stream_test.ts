// One stream: how it is held back, and how it ends.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytes } from "../_feeding.ts";
import { settled } from "./_in_memory.ts";
import { leave, respond, serve } from "./_serving.ts";

Deno.test("A response waits for the window of its stream, and no other does", async () => {
  let sent = 0;
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("x".repeat(10)), false);
      sent++;
      await exchange.data(bytes("y"), true);
    },
    {},
    { settings: { INITIAL_WINDOW_SIZE: 4 }, autoCredit: false },
  );
  const { client } = connected;
  const [one, two] = [client.open(), client.open()];
  await settled();
  assertEquals([one.content, two.content, sent], ["xxxx", "xxxx", 0]);
  two.grant(100);
  await two.response();
  assertEquals([one.content, two.content, sent], [
    "xxxx",
    "xxxxxxxxxxy",
    1,
  ]);
  one.grant(100);
  await one.response();
  await leave(connected);
});

Deno.test("Trailers wait for the content before them", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      const sent = exchange.data(bytes("abcdef"), false);
      await Promise.all([sent, exchange.trailers([["x", "1"]])]);
    },
    {},
    { settings: { INITIAL_WINDOW_SIZE: 4 }, autoCredit: false },
  );
  const { client } = connected;
  const stream = client.open();
  await settled();
  assertEquals([stream.content, stream.trailers], ["abcd", undefined]);
  stream.grant(2);
  await stream.response();
  assertEquals([stream.content, stream.trailers], ["abcdef", [["x", "1"]]]);
  await leave(connected);
});

Deno.test("A client that grants no window for too long is cut", async () => {
  const errors: unknown[] = [];
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("x".repeat(5000)), true)
        ?.catch((error) => errors.push(error));
    },
    { writeTimeout: 1000 },
    {
      settings: { INITIAL_WINDOW_SIZE: 2000 },
      autoCredit: false,
    },
  );
  const { client, transport } = connected;
  const stream = client.open();
  await settled();
  // Progress gives it more time; what is too little does not.
  await transport.passTime(900);
  stream.grant(2000);
  await settled();
  await transport.passTime(900);
  assertEquals(stream.resetCode, undefined);
  stream.grant(1);
  await settled();
  await transport.passTime(200);
  assertEquals([stream.resetCode, errors.length], ["CANCEL", 1]);
  await leave(connected);
  assertEquals(transport.deadlines.size, 0);
});

Deno.test("After its half close, a client that grants too little is lost", async () => {
  const errors: unknown[] = [];
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("x".repeat(10)), true)
        ?.catch((error) => errors.push(error));
    },
    {},
    { settings: { INITIAL_WINDOW_SIZE: 4 }, autoCredit: false },
  );
  const { client, transport } = connected;
  client.open();
  await settled();
  transport.end();
  await connected.done;
  assertEquals(errors.length, 1);
  assert(transport.closed);
});

Deno.test("A client that sends on is stopped, though its content is waited for", async () => {
  let reads = 0;
  using connected = serve(async (exchange) => {
    const read = exchange.readBody();
    await respond(exchange, "early");
    await assertRejects(() => read, Error, "The stream has ended");
    reads++;
  });
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await stream.until(() => stream.complete);
  client.data(stream.id, "late");
  await transport.passTime(10_000);
  assertEquals([stream.resetCode, reads], ["NO_ERROR", 1]);
  await leave(connected);
});

Deno.test("Content that is not wanted any more gets no new window", async () => {
  using connected = serve((exchange) => respond(exchange, "early"));
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  await stream.until(() => stream.complete);
  const granted = stream.sendable;
  for (let i = 0; i < 12; i++) client.data(stream.id, new Uint8Array(16_384));
  await client.sync();
  assertEquals(stream.sendable, granted - 12 * 16_384);
  await leave(connected);
});

// One stream: how it is held back, and how it ends.

import { assert, assertEquals } from "@std/assert";
import { bytes } from "../_feeding.ts";
import { settled } from "./_in_memory.ts";
import { leave, serve } from "./_serving.ts";

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
      exchange.data(bytes("abcdef"), false);
      await exchange.trailers([["x", "1"]]);
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

// What the frames of a client bring about on the connection.

import { assert, assertEquals } from "@std/assert";
import { settled } from "./_in_memory.ts";
import { echo, leave, left, serve } from "./_serving.ts";

Deno.test("SETTINGS and PING are acknowledged", async () => {
  using connected = serve(echo);
  const { client } = connected;
  client.settings({ INITIAL_WINDOW_SIZE: 10 });
  client.ping("12345678");
  await settled();
  const acks = client.frames.filter((frame) => "ack" in frame && frame.ack);
  assertEquals(acks.map(({ type }) => type), ["SETTINGS", "SETTINGS", "PING"]);
  await leave(connected);
});

Deno.test("A block that can't be decoded ends the connection", async () => {
  using connected = serve(echo);
  const { client } = connected;
  client.frame("HEADERS", 5, 1, [0xff, 0xff, 0xff]);
  await left(connected);
  assertEquals(client.goAways, ["COMPRESSION_ERROR"]);
});

Deno.test("The blocks of streams that are refused are decoded, too", async () => {
  using connected = serve(echo, { maxConcurrentStreams: 1 });
  const { client } = connected;
  const first = client.open({ method: "POST" }, false);
  const refused = client.open({ headers: [["x-new", "1"]] });
  assertEquals(await refused.reset(), "REFUSED_STREAM");
  await first.send("", true);
  await first.response();
  // Its fields are in the table now, and are sent as an index.
  const again = await client.request({ headers: [["x-new", "1"]] });
  assertEquals(again.status, 200);
  await leave(connected);
});

Deno.test("A header block that is too slow ends the connection", async () => {
  using connected = serve(echo, { headerTimeout: 1000 });
  const { client, transport, connection } = connected;
  await client.request();
  client.frame("HEADERS", 0, 3, [0x82]);
  await settled();
  assert(!connection.idle);
  assert(connection.waitingSince !== undefined);
  await transport.passTime(1001);
  await left(connected);
  assertEquals(client.goAways, ["ENHANCE_YOUR_CALM"]);
});

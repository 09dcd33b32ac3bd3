// Clients that leave at once, and those that break a limit. The latter may still
// be sending when they are refused: what they send is read until they stop, so
// that they are not reset, and find the Close.

import { assertEquals } from "@std/assert";
import { webSocketRequest } from "./_raw_client.ts";
import { netTest, pause, start, until } from "./_testing.ts";

const LENGTH = 200_000;
/** The head of a masked binary frame of that length. */
const HEAD = new Uint8Array(14);
HEAD.set([0x82, 0xff, 0, 0, 0, 0]);
new DataView(HEAD.buffer).setUint32(6, LENGTH);

// First, because WebSocket is loaded for the first handshake of a process.
netTest(
  "The disconnect of a client right after its handshake is received",
  async () => {
    const CLIENTS = 20;
    let disconnects = 0;
    await using server = start(async (_scope, receive) => {
      await receive();
      const { type } = await receive();
      if (type === "websocket.disconnect") disconnects++;
    }, { lifespan: "off" });
    for (let i = 0; i < CLIENTS; i++) {
      using client = await server.connect();
      await client.send(webSocketRequest());
    }
    await until(() => disconnects === CLIENTS);
  },
);

netTest("The Close for a message too large survives the message", async () => {
  await using server = start(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    while ((await receive()).type !== "websocket.disconnect");
  }, { maxMessageBytes: 1024, lifespan: "off" });
  using client = await server.connect();
  await client.send(webSocketRequest());
  assertEquals((await client.readHead()).status, 101);
  await client.send(HEAD);
  // The rest comes when the server has judged the head.
  await pause(50);
  const piece = new Uint8Array(LENGTH / 20);
  for (let i = 0; i < 20; i++) await client.send(piece);
  const close = await client.readToEnd();
  assertEquals(close.slice(0, 1), "\x88");
  assertEquals(close.slice(2, 4), "\x03\xf1"); // 1009
});

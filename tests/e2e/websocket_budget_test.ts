// The budget of messages that all WebSockets of a server share, and the deadline
// of each, through a whole server: who is refused, who is not, what the metrics
// say, and that all is given back.

import { deflateRawSync } from "node:zlib";
import { assertEquals } from "@std/assert";
import type { AsgiApp } from "../../mod.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { BINARY, clientFrame, TEXT } from "../websocket/_frames.ts";
import { readExposition, valueIn } from "../metrics/_exposition.ts";
import type { RawClient } from "./_raw_client.ts";
import { netTest, start, until } from "./_testing.ts";
import { OFFERS_DEFLATE, openWebSocket } from "./_websocket.ts";

const MIB = 1024 * 1024;

/** Accepts, receives until a message, and returns when it may. */
function holding(mayReturn: Promise<void>): AsgiApp {
  return async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await receive();
    await mayReturn;
  };
}

const echo: AsgiApp = async (_scope, receive, send) => {
  await receive();
  await send({ type: "websocket.accept" });
  for await (const event of receive) {
    if (event.type !== "websocket.receive") return;
    const { text, bytes } = event;
    await send({ type: "websocket.send", text, bytes });
  }
};

/** The code of the Close that comes next. */
async function closeCode(client: RawClient): Promise<number> {
  const frame = await client.readExactly(4);
  assertEquals(frame.charCodeAt(0), 0x88);
  return frame.charCodeAt(2) << 8 | frame.charCodeAt(3);
}

/** Begins a message of many zeros, in few bytes. */
async function beginMessage(client: RawClient, size: number): Promise<void> {
  const payload = deflateRawSync(new Uint8Array(size));
  await client.send(
    clientFrame(BINARY, payload, { rsv: 4, fin: false }),
  );
}

netTest(
  "Past maxBufferedBytes, a WebSocket is closed with 1013, and others are not",
  async () => {
    const metrics = new Metrics();
    const options = {
      maxBufferedBytes: 4 * MIB,
      lifespan: "off",
      metrics,
    } as const;
    await using server = start(echo, options);
    using hog = await openWebSocket(server, OFFERS_DEFLATE);
    await beginMessage(hog, 1.5 * MIB);
    await until(() => metrics.counts.bufferedBytes >= 1.5 * MIB);
    using late = await openWebSocket(server, OFFERS_DEFLATE);
    await beginMessage(late, 1.5 * MIB);
    assertEquals(await closeCode(late), 1013);
    using honest = await openWebSocket(server);
    await honest.send(clientFrame(TEXT, "small"));
    assertEquals(await honest.readExactly(7), "\x81\x05small");
    const text = readExposition(metrics.toText());
    assertEquals(valueIn(text, "asgi_websocket_messages_refused_total"), 1);
    const held = valueIn(text, "asgi_websocket_buffered_bytes");
    assertEquals(held, metrics.counts.bufferedBytes);
    hog.close();
    await until(() => metrics.counts.bufferedBytes === 0);
  },
);

netTest(
  "A message counts until the application that has it returns",
  async () => {
    const metrics = new Metrics();
    const returning = Promise.withResolvers<void>();
    const app = holding(returning.promise);
    await using server = start(app, { lifespan: "off", metrics });
    using client = await openWebSocket(server);
    await client.send(clientFrame(BINARY, new Uint8Array(MIB)));
    await until(() => metrics.counts.bufferedBytes === MIB);
    client.close();
    await until(() => metrics.counts.webSocketsOpen === 0);
    assertEquals(metrics.counts.bufferedBytes, MIB);
    returning.resolve();
    await until(() => metrics.counts.bufferedBytes === 0);
  },
);

netTest(
  "A message that does not go on is closed with 1008 after messageTimeout",
  async () => {
    await using server = start(echo, { lifespan: "off", messageTimeout: 300 });
    using client = await openWebSocket(server);
    await client.send(clientFrame(TEXT, "begun", { fin: false }));
    let closed = false;
    const code = closeCode(client).finally(() => closed = true);
    // It shows signs of life all the time.
    await until(async () => {
      await client.send(clientFrame(0, "", { fin: false })).catch(() => {});
      return closed;
    });
    assertEquals(await code, 1008);
  },
);

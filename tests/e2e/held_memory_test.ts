// A server's memory under clients that make it hold messages: they begin many
// and end none, or send them and read no answer; the resident set of the server's
// process stays within its budget, and others are served meanwhile.
//
// The bounds are generous, because V8 collects dead buffers when it pleases. What
// is counted of messages is tested without a process of its own.

import { deflateRawSync } from "node:zlib";
import { assertEquals, assertLess } from "@std/assert";
import {
  BINARY,
  clientFrame,
  concat,
  PING,
  TEXT,
} from "../websocket/_frames.ts";
import { type RawClient, request } from "./_raw_client.ts";
import { lacksProc, ServerProcess } from "./_server_process.ts";
import { netTest, pause } from "./_testing.ts";
import { OFFERS_DEFLATE, openWebSocket } from "./_websocket.ts";

const MIB = 1024 * 1024;
const CONNECTIONS = 200;
/** Messages of 60 kB each; to a request it is mere content. */
const MUCH_CONTENT = concat(
  Array<Uint8Array>(50).fill(clientFrame(BINARY, new Uint8Array(60_000))),
);
const OPTIONS = {
  permissions: ["run", "read"],
  lacks: lacksProc(),
  timeoutMs: 120_000,
} as const;

/** The default of `maxBufferedBytes`, and what V8 may not have collected. */
const MAX_GROWTH = (256 + 384) * MIB;

/** The most that the server's memory grows by while clients do something. */
async function growthWhile(
  server: ServerProcess,
  attack: () => Promise<void>,
): Promise<number> {
  await server.get("/count");
  const before = await server.residentBytes();
  let most = before;
  let over = false;
  const attacked = attack().finally(() => over = true);
  while (!over) {
    most = Math.max(most, await server.residentBytes());
    await pause(20);
  }
  await attacked;
  return most - before;
}

/** Has a small message echoed. */
async function echoSmall(server: ServerProcess): Promise<void> {
  using client = await openWebSocket(server);
  await client.send(clientFrame(TEXT, "small"));
  assertEquals(await client.readExactly(7), "\x81\x05small");
}

netTest(
  "Unfinished messages of 1.6 GiB take no more than the budget",
  async () => {
    await using server = await ServerProcess.start();
    const content = deflateRawSync(new Uint8Array(15.9 * MIB));
    const begin = clientFrame(BINARY, content, { rsv: 4, fin: false });
    const clients: RawClient[] = [];
    const growth = await growthWhile(server, async () => {
      for (let i = 0; i < 80; i++) {
        const client = await openWebSocket(server, OFFERS_DEFLATE);
        clients.push(client);
        await client.send(begin);
      }
      // When this one is answered, all that came before has been dealt with.
      for (let i = 0; i < 20; i++) await echoSmall(server);
      await pause(2_000);
      await echoSmall(server);
    });
    for (const client of clients) client.close();
    assertLess(growth, MAX_GROWTH);
  },
  OPTIONS,
);

netTest(
  "Messages whose echo nobody reads take no more than the budget",
  async () => {
    await using server = await ServerProcess.start();
    const content = new Uint8Array(15.9 * MIB);
    const message = clientFrame(BINARY, content);
    const clients: RawClient[] = [];
    const growth = await growthWhile(server, async () => {
      for (let i = 0; i < 60; i++) {
        const client = await openWebSocket(server);
        clients.push(client);
        await client.send(message).catch(() => {});
      }
      await echoSmall(server);
    });
    for (const client of clients) client.close();
    assertLess(growth, MAX_GROWTH);
  },
  OPTIONS,
);

for (const kind of ["Requests", "WebSockets"]) {
  netTest(`${kind} whose content nobody takes hold little each`, async () => {
    await using server = await ServerProcess.start("--max-semi-space-size=1");
    const clients: RawClient[] = [];
    const sends: Promise<void>[] = [];
    const growth = await growthWhile(server, async () => {
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = kind === "Requests"
          ? await post(server)
          : await openWebSocket(server, { path: "/hold" });
        clients.push(client);
        // Most of it stays with the client, which does not wait for that.
        sends.push(client.send(MUCH_CONTENT).catch(() => {}));
      }
      await settled(server);
      await echoSmall(server);
    });
    for (const client of clients) client.close();
    await Promise.all(sends);
    assertLess(growth, CONNECTIONS * MIB / 2 + 64 * MIB);
  }, OPTIONS);
}

for (const offer of [{}, OFFERS_DEFLATE]) {
  const kind = offer === OFFERS_DEFLATE ? "compressed" : "plain";

  netTest(
    `A long ${kind} message that nobody reads holds little for each`,
    async () => {
      await using server = await ServerProcess.start("--max-semi-space-size=1");
      const clients: RawClient[] = [];
      const growth = await growthWhile(server, async () => {
        for (let i = 0; i < CONNECTIONS; i++) {
          const path = "/large";
          clients.push(await openWebSocket(server, { path, ...offer }));
        }
        await settled(server);
        await echoSmall(server);
      });
      for (const client of clients) client.close();
      assertLess(growth, CONNECTIONS * MIB / 2 + 64 * MIB);
    },
    OPTIONS,
  );
}

/** Begins a request, whose content may be anything. */
async function post(server: ServerProcess): Promise<RawClient> {
  const client = await server.connect();
  await client.send(request("POST", "/hold", "content-length: 100000000"));
  return client;
}

/** Waits until the server's memory has not grown for a while. */
async function settled(server: ServerProcess): Promise<void> {
  let before: number;
  let now = await server.residentBytes();
  do {
    before = now;
    await pause(500);
    now = await server.residentBytes();
  } while (now > before + MIB);
}

netTest(
  "Millions of pings whose pongs nobody reads take no memory",
  async () => {
    await using server = await ServerProcess.start("--max-semi-space-size=1");
    using client = await openWebSocket(server);
    const large = clientFrame(PING, "x".repeat(125));
    const growth = await growthWhile(server, async () => {
      // First, until the server cannot send any more.
      await client.send(concat(Array<Uint8Array>(200_000).fill(large)));
      const pings = concat(Array<Uint8Array>(10_000).fill(clientFrame(PING)));
      for (let i = 0; i < 300; i++) await client.send(pings);
      await echoSmall(server);
    });
    assertLess(growth, 64 * MIB);
  },
  OPTIONS,
);

// A server's memory under clients that make it hold something: the resident set of
// the server's process is watched, and others are served meanwhile.

import { assertEquals, assertLess } from "@std/assert";
import { clientFrame, concat, PING, TEXT } from "../websocket/_frames.ts";
import { lacksProc, ServerProcess } from "./_server_process.ts";
import { netTest, pause } from "./_testing.ts";
import { openWebSocket } from "./_websocket.ts";

const MIB = 1024 * 1024;
const OPTIONS = {
  permissions: ["run", "read"],
  lacks: lacksProc(),
  timeoutMs: 120_000,
} as const;

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

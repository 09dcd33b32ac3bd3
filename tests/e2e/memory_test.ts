// A server's memory does not depend on the size of what passes through it: a
// GiB up and a GiB down, while the resident set of the server's process grows
// by less than 64 MiB. The clients send and read by hand, and hold nothing.
//
// V8 is made to collect its young garbage often. By default, it lets chunks
// that are not used any more pile up between collections, up to some 100 MiB
// at a GiB a second, whatever program reads them; what is measured here is
// what the server holds.

import {
  assert,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { type RawClient, request } from "./_raw_client.ts";
import { lacksProc, ServerProcess } from "./_server_process.ts";
import { netTest, pause, until } from "./_testing.ts";

const COLLECT_OFTEN = "--max-semi-space-size=1";
const MIB = 1024 * 1024;
const TOTAL = 1024 * MIB;
const MAX_GROWTH = 64 * MIB;
const PIECE = new Uint8Array(64 * 1024);

const OPTIONS = {
  permissions: ["run", "read"],
  lacks: lacksProc(),
  timeoutMs: 120_000,
} as const;

netTest(
  "an upload of 1 GiB with a content-length takes no memory",
  async () => {
    await using server = await ServerProcess.start(COLLECT_OFTEN);
    using client = await server.connect();
    await client.send(request("POST", "/count", `content-length: ${TOTAL}`));
    const growth = await growthWhile(server, async (watch) => {
      for (let sent = 0; sent < TOTAL; sent += PIECE.length) {
        await client.send(PIECE);
        await watch(sent);
      }
      assertEquals((await client.readResponse()).body, String(TOTAL));
    });
    assertLess(growth, MAX_GROWTH);
  },
  OPTIONS,
);

netTest("a chunked upload of 1 GiB takes no memory", async () => {
  await using server = await ServerProcess.start(COLLECT_OFTEN);
  using client = await server.connect();
  await client.send(request("POST", "/count", "transfer-encoding: chunked"));
  const chunk = chunkOf(PIECE);
  const growth = await growthWhile(server, async (watch) => {
    for (let sent = 0; sent < TOTAL; sent += PIECE.length) {
      await client.send(chunk);
      await watch(sent);
    }
    await client.send("0\r\n\r\n");
    assertEquals((await client.readResponse()).body, String(TOTAL));
  });
  assertLess(growth, MAX_GROWTH);
}, OPTIONS);

netTest("a download of 1 GiB by a slow reader takes no memory", async () => {
  await using server = await ServerProcess.start(COLLECT_OFTEN);
  using client = await server.connect();
  const growth = await growthWhile(server, async (watch) => {
    await client.get(`/download?${TOTAL}`);
    // First the client does not read at all: the app has to wait for it.
    const sent = await stableCount(server);
    assert(sent > 0 && sent < TOTAL / 16, `The app has sent ${sent} bytes`);
    await watch(0);
    await client.readHead();
    const read = await readSlowly(client, watch);
    assertEquals(read, TOTAL);
  });
  assertLess(growth, MAX_GROWTH);
}, OPTIONS);

for (const path of ["/unawaited/flood", "/unawaited/stream"]) {
  netTest(
    `a million events that nobody awaits take no memory (${path})`,
    async () => {
      await using server = await ServerProcess.start(COLLECT_OFTEN);
      await server.get("/errors");
      const before = await server.residentBytes();
      using client = await server.connect();
      await client.get(path);
      await client.readToEnd().catch(() => {});
      assertLess(await server.residentBytes() - before, MAX_GROWTH);
      assertStringIncludes(await server.get("/errors"), "await each send");
      assertEquals(await server.stop(), true);
    },
    OPTIONS,
  );
}

/** Measures at every 64 MiB; the number of bytes done says when. */
type Watch = (bytes: number) => Promise<void>;

/**
 * By how much the server's memory was at most larger than at the start, when
 * it had served one small request.
 */
async function growthWhile(
  server: ServerProcess,
  run: (watch: Watch) => Promise<void>,
): Promise<number> {
  await server.get("/count");
  const before = await server.residentBytes();
  assert(before > MIB, "The resident set could not be read");
  let most = before;
  await run(async (bytes) => {
    if (bytes % (64 * MIB) !== 0) return;
    most = Math.max(most, await server.residentBytes());
  });
  return Math.max(most, await server.residentBytes()) - before;
}

/** Reads to the end, with a pause after each MiB. */
async function readSlowly(client: RawClient, watch: Watch): Promise<number> {
  let read = 0;
  for (; read < TOTAL; read += MIB) {
    await client.skip(MIB);
    await pause(0);
    await watch(read);
  }
  return read;
}

/** What the download's app has sent when it sends no more. */
async function stableCount(server: ServerProcess): Promise<number> {
  let last = -1;
  await until(async () => {
    await pause(100);
    const before = last;
    last = Number(await server.get("/sent"));
    return last > 0 && before === last;
  });
  return last;
}

function chunkOf(content: Uint8Array): Uint8Array {
  const size = `${content.length.toString(16)}\r\n`;
  const chunk = new Uint8Array(size.length + content.length + 2);
  chunk.set(new TextEncoder().encode(size));
  chunk.set(content, size.length);
  chunk.set([0x0d, 0x0a], size.length + content.length);
  return chunk;
}

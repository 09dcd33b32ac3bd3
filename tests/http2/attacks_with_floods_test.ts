// Frames that cost their sender little: those that want an answer, and those that
// are of no use (CVE-2019-9511 to 9518). Both have a budget; and a client that
// does not read the answers is not read either.

import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import { settledSoon } from "../_turns.ts";
import { uint32 } from "./_frames.ts";
import type { Http2Client } from "./_client.ts";
import { assertStopped, attack } from "./_attacks.ts";
import { abort, routes } from "./_outcomes.ts";
import { echo, leave, serve } from "./_serving.ts";

/** Frames that are counted, with stream 1 open, and how many may come. */
const FLOODS: Record<string, [send: (client: Http2Client) => void, number]> = {
  "PING": [(client) => client.ping("12345678"), 1000],
  "SETTINGS": [(client) => client.settings({}), 1000],
  "SETTINGS that change windows": [
    (client) => client.settings({ INITIAL_WINDOW_SIZE: 100_000 }),
    1000,
  ],
  "acknowledgments of SETTINGS": [
    (client) => client.frame("SETTINGS", FLAGS.ACK, 0),
    1000,
  ],
  "acknowledgments of PING": [
    (client) => client.frame("PING", FLAGS.ACK, 0, new Uint8Array(8)),
    1000,
  ],
  "WINDOW_UPDATE": [(client) => client.windowUpdate(0, 1), 1000],
  "WINDOW_UPDATE of a stream": [(client) => client.windowUpdate(1, 1), 1000],
  "PRIORITY": [
    (client) => client.frame("PRIORITY", 0, 7, [0, 0, 0, 3, 1]),
    1000,
  ],
  "PRIORITY_UPDATE": [(client) => client.priorityUpdate(1, "u=1"), 1000],
  "PRIORITY_UPDATE of idle streams": [
    (client) => client.priorityUpdate(2 * client.frames.length + 9, "u=1"),
    1000,
  ],
  "RST_STREAM of a closed stream": [(client) => client.reset(1), 1000],
  "frames that are not known": [(client) => client.frame(0xee, 0, 1), 1000],
  "empty DATA": [(client) => client.data(1, ""), 1000],
  "DATA that is all padding": [
    (client) => client.frame("DATA", FLAGS.PADDED, 1, [0]),
    1000,
  ],
  "empty HEADERS": [(client) => {
    client.frame("HEADERS", 0, 3, []);
    client.frame("CONTINUATION", FLAGS.END_HEADERS | FLAGS.END_STREAM, 3, [
      0x82,
    ]);
  }, 1000],
};

for (const [what, [send, budget]] of Object.entries(FLOODS)) {
  Deno.test(`a flood of ${what} is stopped`, async () => {
    const defence = await attack({
      round(client, round) {
        if (round === 0) client.open({ path: "/hold" }, false);
        for (let i = 0; i < 50; i++) send(client);
      },
      handle: routes,
    });
    // What is refilled meanwhile may double it on a slow machine.
    if (what === "empty HEADERS") {
      assert(defence.code !== undefined);
    } else assertStopped(defence, Math.floor(budget / 50) - 1, budget / 25);
  });
}

Deno.test("a flood of small DATA costs no more memory than its bytes", async () => {
  const defence = await attack({
    round(client, round) {
      if (round === 0) client.open({ path: "/hold" }, false);
      for (let i = 0; i < 500; i++) client.data(1, "x");
    },
    handle: routes,
  });
  // 64 Ki that nobody reads: with nothing else, the window is not even used up.
  assertStopped(defence, 131, 133);
});

/** Frames whose answers a client does not read. */
const QUESTIONS: Record<string, (client: Http2Client) => void> = {
  "PINGs": (client) => client.ping("12345678"),
  "SETTINGS": (client) => client.settings({}),
  "requests": (client) => void client.open({ method: "HEAD" }),
};

for (const [what, send] of Object.entries(QUESTIONS)) {
  Deno.test(`a client that does not read the answers to its ${what} is not read`, async () => {
    using connected = serve(routes, { maxConcurrentStreams: 1_000_000 });
    const { client, transport } = connected;
    client.windowUpdate(0, 2 ** 30);
    const { id } = client.open({ path: "/hold" }, false);
    await settledSoon();
    transport.stallWrites();
    const before = transport.reads;
    const chunks = 2_000;
    for (let chunk = 0; chunk < chunks; chunk++) {
      client.together(() => {
        for (let i = 0; i < 50; i++) send(client);
        client.data(id, "x"); // Else the flood itself would be counted.
      });
    }
    await settledSoon();
    assert(transport.reads - before < chunks / 2, `${transport.reads} chunks`);
    transport.acceptWrites();
    await abort(connected);
  });
}

Deno.test("honest: a PING for each DATA, as those who measure their way send", async () => {
  using connected = serve(echo);
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  for (let i = 0; i < 3_000; i++) {
    client.data(stream.id, "0123456789".repeat(10));
    client.ping("12345678");
    if (i % 100 === 0) await client.sync();
  }
  client.data(stream.id, "", true);
  assertEquals((await stream.response()).content.length, 300_000 + 7);
  assertEquals(client.goAways, []);
  await leave(connected);
});

Deno.test("honest: two WINDOW_UPDATEs for each DATA of a long download", async () => {
  const piece = new Uint8Array(1024);
  using connected = serve(async (exchange) => {
    exchange.head(200, []);
    for (let i = 0; i < 5_000; i++) await exchange.data(piece, i === 4_999);
  });
  const { client } = connected;
  const stream = await client.request();
  assertEquals(client.goAways, []);
  assertEquals(stream.content.length, 5_000 * 1024);
  await leave(connected);
});

Deno.test("honest: single bytes, as from a keyboard, to an application that reads", async () => {
  using connected = serve(echo);
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  for (let i = 0; i < 20_000; i++) {
    client.data(stream.id, "x");
    if (i % 10 === 0) await client.sync();
  }
  client.data(stream.id, "", true);
  assertEquals((await stream.response()).content.length, 20_000 + 7);
  await leave(connected);
});

Deno.test("honest: an idle client that is probed sends PINGs now and then", async () => {
  using connected = serve(echo);
  const { client } = connected;
  for (let i = 0; i < 20; i++) {
    for (let ping = 0; ping < 45; ping++) client.ping(`${ping}`.padStart(8));
    client.frame("PING", FLAGS.ACK, 0, [...uint32(1), ...uint32(2)]);
    await client.sync();
  }
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

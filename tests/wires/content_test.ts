// Content of every size in both directions, and content that nobody reads, by the
// application or by the client.

import { assert, assertEquals } from "@std/assert";
import { respond } from "../../mod.ts";
import { countApp, echoApp, http, pathApp } from "../e2e/_apps.ts";
import { pause, until } from "../e2e/_testing.ts";
import { start, wireTest } from "./_wires.ts";
import type { WireExchange } from "./_wire.ts";

const PIECE = new Uint8Array(64 * 1024);

wireTest("content of many sizes comes back as it was sent", async (wire) => {
  await using server = start(wire, echoApp);
  await using client = await wire.connect(server);
  for (const size of [0, 1, 1023, 16_384, 16_385, 65_535, 65_536, 300_000]) {
    const content = "0123456789abcdef~".repeat(size / 17 + 1).slice(0, size);
    const response = await client.fetch({ method: "POST", content });
    assert(response.content === content, `${size} bytes differ`);
  }
});

wireTest("content in pieces of one byte is one content", async (wire) => {
  await using server = start(wire, echoApp);
  await using client = await wire.connect(server);
  const exchange = await client.request({ method: "POST", follows: "unknown" });
  const text = "one byte at a time";
  for (const byte of text) await exchange.send(byte);
  await exchange.end();
  assertEquals((await exchange.response()).content, text);
});

for (const length of ["known", "unknown"] as const) {
  wireTest(
    `an early 401 reaches a client that sends on (its length is ${length})`,
    async (wire) => {
      await using server = start(
        wire,
        http(async (_scope, _receive, send) => {
          await respond(send, 401, { body: "Who is there?" });
        }),
      );
      await using client = await wire.connect(server);
      const follows = length === "known" ? wire.large : length;
      const exchange = await client.request({ method: "POST", follows });
      await sendAll(exchange, wire.large);
      const { status, content } = await exchange.response();
      assertEquals([status, content], [401, "Who is there?"]);
      assertEquals(server.errors, []);
    },
  );

  wireTest(
    `a 413 reaches a client that sends on (its length is ${length})`,
    async (wire) => {
      await using server = start(wire, countApp, { maxBodyBytes: 1_000_000 });
      await using client = await wire.connect(server);
      const follows = length === "known" ? wire.large : length;
      const exchange = await client.request({ method: "POST", follows });
      await sendAll(exchange, wire.large);
      assertEquals((await exchange.response()).status, 413);
    },
  );
}

wireTest(
  "small content that nobody reads harms no later request",
  async (wire) => {
    await using server = start(wire, pathApp);
    await using client = await wire.connect(server);
    const content = "GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n".repeat(500);
    const first = await client.fetch({ method: "POST", path: "/1", content });
    assertEquals(first.content, "/1");
    assertEquals((await client.fetch({ path: "/2" })).content, "/2");
  },
);

wireTest("a client can't send more than the app takes", async (wire) => {
  const gate = Promise.withResolvers<void>();
  const app = http(async (scope, receive, send) => {
    await gate.promise;
    await countApp(scope, receive, send);
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  const { large } = wire;
  const exchange = await client.request({ method: "POST", follows: large });
  let sent = 0;
  const sending = sendAll(exchange, large, (total) => sent = total);
  await untilStable(() => sent);
  assert(sent < wire.large, `All ${sent} bytes were taken`);
  gate.resolve();
  await sending;
  assertEquals((await exchange.response()).content, String(large));
});

wireTest("an app can't send more than the client takes", async (wire) => {
  let sent = 0;
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    while (sent < wire.large) {
      await send({ type: "http.response.body", body: PIECE, more_body: true });
      sent += PIECE.length;
    }
    await send({ type: "http.response.body" });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  await untilStable(() => sent);
  assert(sent < wire.large, `All ${sent} bytes were sent`);
  assertEquals((await exchange.response()).content.length, wire.large);
});

/** Sends large content until all is sent, or the server takes no more. */
async function sendAll(
  exchange: WireExchange,
  size: number,
  onSent = (_total: number) => {},
): Promise<void> {
  for (let sent = 0; sent < size;) {
    await exchange.send(PIECE);
    onSent(sent += PIECE.length);
  }
  await exchange.end();
}

/** Waits until a number has grown, and grows no more. */
async function untilStable(read: () => number): Promise<void> {
  let last = 0;
  await until(async () => {
    const before = last;
    last = read();
    if (before > 0 && before === last) return true;
    await pause(100);
    return false;
  });
}

// Work without concurrency: streams that end before what they have begun (rapid
// reset, CVE-2023-44487; made-you-reset, CVE-2025-8671; CVE-2019-9514). A stream
// counts until its handler is done, and resets have a budget.

import { assert, assertEquals } from "@std/assert";
import { uint32 } from "./_frames.ts";
import type { Http2Client } from "./_client.ts";
import { assertStopped, attack } from "./_attacks.ts";
import { abort, routes } from "./_outcomes.ts";
import { leave, respond, serve } from "./_serving.ts";

Deno.test("rapid reset: what is reset at once is not handled, and has a budget", async () => {
  const defence = await attack({
    round(client) {
      for (let i = 0; i < 10; i++) client.open().cancel();
    },
  });
  assertStopped(defence, 50, 100);
  assertEquals(defence.calls, 0);
});

Deno.test("rapid reset: handlers that go on count for the limit of streams", async () => {
  let last: { cancel(): void } | undefined;
  const defence = await attack({
    round(client) {
      last?.cancel();
      last = client.open();
    },
    options: { maxConcurrentStreams: 20 },
  });
  assertStopped(defence, 250, 1_000);
  assertEquals([defence.calls, defence.mostRunning], [20, 20]);
  assert(defence.meter.http2StreamsRefused > 200);
});

/** What makes a server reset stream `id`, which is half closed. */
const PROVOCATIONS: Record<string, (client: Http2Client, id: number) => void> =
  {
    "WINDOW_UPDATE of 0": (client, id) =>
      client.frame("WINDOW_UPDATE", 0, id, uint32(0)),
    "WINDOW_UPDATE that is too large": (client, id) =>
      client.frame("WINDOW_UPDATE", 0, id, uint32(2 ** 31 - 1)),
    "DATA after the end": (client, id) => client.data(id, "x"),
    "HEADERS after the end": (client, id) =>
      client.headers(id, [["a", "b"]], true),
    "PRIORITY of a wrong length": (client, id) =>
      client.frame("PRIORITY", 0, id, [0]),
    "PRIORITY that depends on itself": (client, id) =>
      client.frame("PRIORITY", 0, id, [...uint32(id), 0]),
  };

for (const [what, provoke] of Object.entries(PROVOCATIONS)) {
  Deno.test(`made you reset: by ${what}`, async () => {
    const opened: number[] = [];
    const defence = await attack({
      round(client) {
        // The stream of the round before, whose handler has begun.
        const before = opened.at(-1);
        if (before !== undefined) provoke(client, before);
        opened.push(client.open().id);
      },
      options: { maxConcurrentStreams: 20 },
    });
    assertStopped(defence, 20, 1_000);
    assertEquals([defence.calls, defence.mostRunning], [20, 20]);
  });
}

Deno.test("malformed requests have a budget, and are not handled", async () => {
  const defence = await attack({
    round(client) {
      const stream = client.open({ headers: [["connection", "close"]] });
      assertEquals(stream.id, 2 * client.streams.size - 1);
    },
  });
  assertStopped(defence, 50, 250);
  assertEquals(defence.calls, 0);
});

Deno.test("too many streams are refused, which has a budget", async () => {
  const defence = await attack({
    round: (client) => void client.open(),
    options: { maxConcurrentStreams: 5 },
  });
  assertStopped(defence, 500, 1_000);
  assertEquals([defence.calls, defence.mostRunning], [5, 5]);
  const codes = defence.client.seen("RST_STREAM").map(({ code }) => code);
  assertEquals(new Set(codes), new Set(["REFUSED_STREAM"]));
});

Deno.test("an honest client cancels some of its requests, as browsers do", async () => {
  using connected = serve(routes);
  const { client } = connected;
  // A page that is left with everything open, five times.
  for (let page = 0; page < 5; page++) {
    const streams = Array.from(
      { length: 90 },
      () => client.open({ path: "/hold" }),
    );
    await client.sync();
    client.together(() => streams.forEach((stream) => stream.cancel()));
    await client.sync();
  }
  assertEquals((await client.request({ path: "/alive" })).status, 200);
  assertEquals(client.goAways, []);
  await abort(connected);
});

Deno.test("an honest client makes thousands of requests at once", async () => {
  using connected = serve((exchange) => respond(exchange, "fine"));
  const { client } = connected;
  for (let round = 0; round < 50; round++) {
    const streams = client.together(() =>
      Array.from({ length: 100 }, () => client.open())
    );
    await Promise.all(streams.map((stream) => stream.response()));
  }
  assertEquals(client.streams.size, 5_000);
  assert(
    [...client.streams.values()].every(({ content }) => content === "fine"),
  );
  await leave(connected);
});

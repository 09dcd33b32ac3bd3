// Clients that let a server hold what they have asked for (CVE-2016-1546, and
// 2019-9511 and 9517): what it holds is bounded, and so is what it does for each
// byte that they let through.

import { assert, assertEquals } from "@std/assert";
import { settledSoon } from "../_turns.ts";
import { abort } from "./_outcomes.ts";
import { respond, serve } from "./_serving.ts";

const PIECE = new Uint8Array(16_384);
const STREAMS = 100;

/** Serves endless content; counts what has gone out of the handlers' hands. */
function serveEndless() {
  let taken = 0;
  const connected = serve(
    async (exchange) => {
      if (exchange.request.method === "HEAD") {
        return await respond(exchange, "beside");
      }
      exchange.head(200, []);
      try {
        for (;;) {
          await exchange.data(PIECE, false);
          taken += PIECE.length;
        }
      } catch {
        // The client is lost.
      }
    },
    {},
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 2 ** 31 - 1 } },
  );
  return { connected, taken: () => taken };
}

Deno.test("windows without end over a connection that takes nothing: little is held", async () => {
  const { connected, taken } = serveEndless();
  using _connected = connected;
  const { client, transport } = connected;
  client.windowUpdate(0, 2 ** 30);
  await settledSoon();
  transport.stallWrites();
  client.together(() => {
    for (let i = 0; i < STREAMS; i++) client.open();
  });
  await settledSoon();
  // What is collected for a write, and what one is under way with.
  assert(taken() <= 300_000, `${taken()} bytes were taken`);
  await abort(connected);
});

Deno.test("windows that are shut: nothing but one piece of each stream is held", async () => {
  const { connected, taken } = serveEndless();
  using _connected = connected;
  const { client } = connected;
  client.settings({ INITIAL_WINDOW_SIZE: 0 });
  client.together(() => {
    for (let i = 0; i < STREAMS; i++) client.open();
  });
  await settledSoon();
  assertEquals([taken(), client.seen("DATA").length], [0, 0]);
  // Others are served, as long as they need no window.
  assertEquals(
    (await client.request({ method: "HEAD" })).resetCode,
    "REFUSED_STREAM",
  );
  [...client.streams.values()][0].cancel();
  await client.sync();
  assertEquals((await client.request({ method: "HEAD" })).status, 200);
  await abort(connected);
});

Deno.test("windows that open by a byte each time do not make a frame each", async () => {
  const { connected } = serveEndless();
  using _connected = connected;
  const { client } = connected;
  const streams = Array.from({ length: 20 }, () => client.open());
  await streams[0].contentOf(1);
  await settledSoon();
  const before = client.seen("DATA").length;
  for (let i = 0; i < 800; i++) client.windowUpdate(0, 1);
  await client.sync();
  const frames = client.seen("DATA").length - before;
  assert(frames <= 2, `${frames} frames for 800 bytes`);
  await abort(connected);
});

Deno.test("the same for streams, whatever their first window was", async () => {
  for (const window of [100, 5_000, 65_535]) {
    const { connected } = serveEndless();
    using _connected = connected;
    const { client } = connected;
    client.settings({ INITIAL_WINDOW_SIZE: window });
    client.windowUpdate(0, 1_000_000);
    const stream = client.open();
    await stream.contentOf(window);
    await settledSoon();
    const before = stream.dataFrames;
    for (let i = 0; i < 500; i++) stream.grant(1);
    await client.sync();
    const frames = stream.dataFrames - before;
    // Of a small window, the half is worth a frame.
    assert(frames <= 1 + 500 / Math.min(1_024, window / 2), `${frames} frames`);
    await abort(connected);
  }
});

// Every frame in every state of a stream, against a whole connection: what RFC
// 9113, section 5.1 makes of it, with the exact code, and that a connection which
// lives on serves the next request.

import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import { uint32 } from "./_frames.ts";
import { type Http2Client, requestFields } from "./_client.ts";
import { abort, outcome, routes, served } from "./_outcomes.ts";
import { serve } from "./_serving.ts";

/** The ways to a state; each leaves stream 1 in it. */
const STATES: Record<string, (client: Http2Client) => Promise<void> | void> = {
  "idle": () => {},
  "open": (client) => void client.open({ path: "/hold" }, false),
  "half-closed (remote)": (client) => void client.open({ path: "/hold" }),
  "half-closed (local)": async (client) => {
    const path = "/tunnel";
    const request = { method: "CONNECT", protocol: "websocket", path };
    const stream = client.open(request, false);
    await stream.until(() => stream.complete);
  },
  "closed by both": async (client) => {
    await client.request();
  },
  "closed by their reset": (client) => client.open({ path: "/hold" }).cancel(),
  "reset by us": async (client) => {
    await client.open({ path: "/reset" }, false).reset();
  },
  "skipped": async (client) => {
    client.headers(3, requestFields(), true);
    await served(client);
  },
};

/** The frames, on stream 1. */
const FRAMES: Record<string, (client: Http2Client) => void> = {
  "HEADERS": (client) => client.headers(1, fieldsFor(client), false),
  "last HEADERS": (client) => client.headers(1, fieldsFor(client), true),
  "DATA": (client) => client.data(1, "x"),
  "last DATA": (client) => client.data(1, "x", true),
  "RST_STREAM": (client) => client.reset(1),
  "WINDOW_UPDATE": (client) => client.windowUpdate(1, 1),
  "PRIORITY": (client) => client.frame("PRIORITY", 0, 1, [0, 0, 0, 0, 15]),
};

/** Trailers, where the stream was begun. */
function fieldsFor(client: Http2Client) {
  return client.streams.size > 0 || client.frames.length > 4
    ? [["x-trailer", "1"]] as const
    : requestFields({ path: "/hold" });
}

const PROTOCOL = "connection PROTOCOL_ERROR";
const CLOSED = "connection STREAM_CLOSED";

/** In the order of the frames. */
const CELLS: Record<string, readonly string[]> = {
  "idle": ["ok", "ok", PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, "ok"],
  "open": ["stream PROTOCOL_ERROR", "ok", "ok", "ok", "ok", "ok", "ok"],
  "half-closed (remote)": [
    "stream STREAM_CLOSED",
    "stream STREAM_CLOSED",
    "stream STREAM_CLOSED",
    "stream STREAM_CLOSED",
    "ok",
    "ok",
    "ok",
  ],
  "half-closed (local)": [
    "stream PROTOCOL_ERROR",
    "ok",
    "ok",
    "ok",
    "ok",
    "ok",
    "ok",
  ],
  "closed by both": [CLOSED, CLOSED, CLOSED, CLOSED, "ok", "ok", "ok"],
  "closed by their reset": [CLOSED, CLOSED, CLOSED, CLOSED, "ok", "ok", "ok"],
  "reset by us": ["ok", "ok", "ok", "ok", "ok", "ok", "ok"],
  "skipped": [PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, "ok"],
};

for (const [state, enter] of Object.entries(STATES)) {
  for (const [i, [frame, send]] of Object.entries(FRAMES).entries()) {
    const expected = CELLS[state][i];
    Deno.test(`${frame} on a stream that is ${state}: ${expected}`, async () => {
      using connected = serve(routes);
      const { client } = connected;
      await enter(client);
      const since = client.frames.length;
      send(client);
      assertEquals(await outcome(client, 1, since), expected, client.trace());
      if (!expected.startsWith("connection")) await assertServes(client);
      else await client.closed();
      await abort(connected);
    });
  }
}

/** Asserts that a later request is answered. */
async function assertServes(client: Http2Client): Promise<void> {
  client.headers(101, requestFields({ path: "/later" }), true);
  await client.until(() =>
    client.seen("DATA").some(({ streamId }) => streamId === 101)
  );
  const [{ content }] = client.seen("DATA").filter(({ streamId }) =>
    streamId === 101
  );
  assertEquals(content, "GET /later ");
}

Deno.test("Frames on a stream that was reset long ago are dropped", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const first = client.open({ path: "/reset" }, false);
  await first.reset();
  for (let i = 0; i < 200; i++) {
    await client.open({ path: "/reset" }, false).reset();
  }
  const since = client.frames.length;
  client.data(first.id, "late");
  client.headers(first.id, [["x-late", "1"]], true);
  client.reset(first.id);
  client.windowUpdate(first.id, 1);
  assertEquals(await outcome(client, first.id, since), "ok");
  assert(client.rules.sendWindow > 0);
  await abort(connected);
});

Deno.test("Content on a stream that was reset is given back to the connection", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const stream = client.open({ path: "/reset" }, false);
  await stream.reset();
  await served(client);
  const full = client.rules.sendWindow;
  const chunk = new Uint8Array(16_384);
  for (let sent = 0; sent < 8 * full; sent += chunk.length) {
    await client.until(() => client.rules.sendWindow >= chunk.length);
    client.frame("DATA", FLAGS.PADDED, stream.id, [3, ...chunk.subarray(4)]);
  }
  await served(client);
  assert(client.rules.sendWindow > full / 2, `${client.rules.sendWindow}`);
  assertEquals(client.goAways, []);
  await abort(connected);
});

Deno.test("WINDOW_UPDATE with nothing, or too much, ends the stream or the connection", async () => {
  for (
    const [streamId, increment, expected] of [
      [1, 0, "stream PROTOCOL_ERROR"],
      [0, 0, PROTOCOL],
      [1, 2 ** 31 - 1, "stream FLOW_CONTROL_ERROR"],
      [0, 2 ** 31 - 1, "connection FLOW_CONTROL_ERROR"],
    ] as const
  ) {
    using connected = serve(routes);
    const { client } = connected;
    client.open({ path: "/hold" });
    client.frame("WINDOW_UPDATE", 0, streamId, uint32(increment));
    assertEquals(await outcome(client), expected);
    await abort(connected);
  }
});

// Every wait of a connection has a deadline, and nobody prolongs it by trickling:
// with a clock that the test turns.

import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import { encodeByteString } from "../../src/streams/byte_string.ts";
import { settledSoon } from "../_turns.ts";
import { requestFields } from "./_client.ts";
import { abort, routes } from "./_outcomes.ts";
import { echo, leave, left, respond, serve } from "./_serving.ts";

/** Different times, so that each deadline is known by its own. */
const TIMES: Partial<Http2Options> = {
  headerTimeout: 1_000,
  keepAliveTimeout: 2_000,
  bodyTimeout: 3_000,
  writeTimeout: 4_000,
  drainTimeout: 5_000,
};
const PREFACE = encodeByteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

Deno.test("a client that sends nothing is left after headerTimeout", async () => {
  using connected = serve(echo, TIMES, { begins: false });
  const { client, transport } = connected;
  await transport.passTime(999);
  assertEquals([client.goAways.length, client.ended], [0, false]);
  await transport.passTime(1);
  await left(connected);
  assert(transport.closed);
});

Deno.test("a preface that trickles in has headerTimeout in all", async () => {
  using connected = serve(echo, TIMES, { begins: false });
  const { client, transport } = connected;
  for (let at = 0; at < 10; at++) {
    client.raw(PREFACE.subarray(at, at + 1));
    await transport.passTime(100);
  }
  await left(connected);
});

Deno.test("SETTINGS that are not acknowledged in 10 s are an error", async () => {
  using connected = serve(echo, {}, { acknowledges: false });
  const { client, transport } = connected;
  await transport.passTime(9_999);
  assertEquals(client.goAways, []);
  await transport.passTime(1);
  assertEquals(client.goAways, ["SETTINGS_TIMEOUT"]);
  await left(connected);
});

Deno.test("SETTINGS that are acknowledged have no deadline any more", async () => {
  using connected = serve(routes, { keepAliveTimeout: 100_000 });
  const { client, transport } = connected;
  await transport.passTime(50_000);
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

Deno.test("a header block has headerTimeout, however it trickles in", async () => {
  using connected = serve(routes, TIMES);
  const { client, transport } = connected;
  client.open({ path: "/hold" });
  await transport.passTime(10_000);
  client.frame("HEADERS", FLAGS.END_STREAM, 3, client.encode(requestFields()));
  for (let i = 0; i < 4; i++) {
    await transport.passTime(249);
    client.frame("CONTINUATION", 0, 3, [0x90]);
    assertEquals(client.goAways, []);
  }
  await transport.passTime(4);
  assertEquals(client.goAways, ["ENHANCE_YOUR_CALM"]);
  await abort(connected);
});

Deno.test("an idle connection is left after keepAliveTimeout, and not by PINGs kept", async () => {
  using connected = serve(echo, TIMES);
  const { client, transport } = connected;
  await client.request();
  for (let i = 0; i < 3; i++) {
    await transport.passTime(600);
    await client.sync();
  }
  await transport.passTime(200);
  assertEquals(client.goAways, ["NO_ERROR"]);
  await left(connected);
});

Deno.test("each request starts keepAliveTimeout anew", async () => {
  using connected = serve(echo, TIMES);
  const { client, transport } = connected;
  for (let i = 0; i < 3; i++) {
    assertEquals((await client.request()).status, 200);
    await transport.passTime(1_999);
    assertEquals(client.goAways, []);
  }
  await transport.passTime(1);
  assertEquals(client.goAways, ["NO_ERROR"]);
  await left(connected);
});

Deno.test("an open stream has no idle deadline", async () => {
  const gate = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await gate.promise;
    await respond(exchange, "late");
  }, TIMES);
  const { client, transport } = connected;
  const stream = client.open();
  await transport.passTime(1_000_000);
  gate.resolve();
  assertEquals((await stream.response()).content, "late");
  await leave(connected);
});

Deno.test("an application waits for content for bodyTimeout, which any byte starts anew", async () => {
  using connected = serve(echo, TIMES);
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  for (let i = 0; i < 5; i++) {
    await transport.passTime(2_999);
    client.data(stream.id, "x");
  }
  await transport.passTime(2_999);
  assertEquals(stream.status, 0);
  await transport.passTime(1);
  assertEquals((await stream.response()).status, 408);
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

Deno.test("bodyTimeout does not run while nobody waits for content", async () => {
  const gate = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await gate.promise;
    await echo(exchange);
  }, TIMES);
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await transport.passTime(1_000_000);
  gate.resolve();
  await transport.passTime(2_999);
  client.data(stream.id, "x", true);
  assertEquals((await stream.response()).status, 200);
  await leave(connected);
});

Deno.test("content waits for a window for writeTimeout, and then its stream is reset", async () => {
  const lost: unknown[] = [];
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(new Uint8Array(100_000), true)
        ?.catch((error) => lost.push(error));
    },
    TIMES,
    { autoCredit: false },
  );
  const { client, transport } = connected;
  client.windowUpdate(0, 1_000_000);
  const stream = client.open();
  await stream.contentOf(65_535);
  await transport.passTime(3_999);
  assertEquals(stream.resetCode, undefined);
  await transport.passTime(1);
  assertEquals([stream.resetCode, lost.length], ["CANCEL", 1]);
  assertEquals((await client.request({ method: "HEAD" })).status, 200);
  await leave(connected);
});

Deno.test("a window that opens byte by byte is no progress; 1 KiB is", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(new Uint8Array(100_000), true)?.catch(() => {});
    },
    TIMES,
    { autoCredit: false },
  );
  const { client, transport } = connected;
  client.windowUpdate(0, 1_000_000);
  const [slow, dribbling] = [client.open(), client.open()];
  await slow.contentOf(65_535);
  await dribbling.contentOf(65_535);
  for (let second = 0; second < 20; second++) {
    dribbling.grant(1);
    slow.grant(1_024);
    await transport.passTime(1_000);
  }
  assertEquals([slow.resetCode, dribbling.resetCode], [undefined, "CANCEL"]);
  await abort(connected);
});

Deno.test("a whole connection that grants nothing loses its streams after writeTimeout, or twice that", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(new Uint8Array(100_000), true)?.catch(() => {});
    },
    TIMES,
    { autoCredit: false },
  );
  const { client, transport } = connected;
  const streams = [client.open(), client.open(), client.open()];
  // The others have waited for the first, as long as it was sent.
  await transport.passTime(4_000);
  assertEquals(streams[0].resetCode, "CANCEL");
  await transport.passTime(4_000);
  const codes = streams.map(({ resetCode }) => resetCode);
  assertEquals(codes, ["CANCEL", "CANCEL", "CANCEL"]);
  await transport.passTime(2_000);
  assertEquals(client.goAways, ["NO_ERROR"]);
  await left(connected);
});

Deno.test("after its GOAWAY, the server waits for the client's end for drainTimeout", async () => {
  using connected = serve(echo, TIMES);
  const { client, transport, done } = connected;
  client.frame("PING", 0, 0, [1]);
  await client.closed();
  assert(transport.writeClosed && !transport.closed);
  await transport.passTime(4_999);
  assert(!transport.closed);
  await transport.passTime(1);
  await done;
  assert(transport.closed);
});

Deno.test("what comes after the server's GOAWAY does not prolong that", async () => {
  using connected = serve(echo, TIMES);
  const { client, transport, done } = connected;
  client.frame("PING", 0, 0, [1]);
  await client.closed();
  for (let i = 0; i < 50; i++) {
    client.open({ headers: [["x-late", "x".repeat(1_000)]] });
    await transport.passTime(100);
  }
  await done;
  assert(transport.closed);
});

Deno.test("all deadlines are given back at the end", async () => {
  using connected = serve(routes, TIMES, { autoCredit: false });
  const { client, transport } = connected;
  client.open({ path: "/hold" });
  client.open({ method: "POST" }, false);
  client.open({ path: `/${"x".repeat(5_000)}` });
  await settledSoon();
  await abort(connected);
  assertEquals(transport.deadlines.size, 0);
  assertEquals(transport.readDeadline.armed, undefined);
});

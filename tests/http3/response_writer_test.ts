import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytes } from "../_feeding.ts";
import { readResponse, requestFields, serve } from "./_serving.ts";

Deno.test("A client that reads nothing for too long loses its connection", async () => {
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    await assertRejects(async () => {
      for (;;) await exchange.data(new Uint8Array(50_000), false);
    });
  }, { writeTimeout: 1000 });
  const stream = serving.request();
  stream.outbound.window = 100;
  await serving.quic.passTime(999);
  assertEquals(serving.closeCode, undefined);
  await serving.quic.passTime(1);
  await serving.done;
  assertEquals(serving.closeCode, 0x107);
});

Deno.test("Bytes that are stable are not copied", async () => {
  const chunk = new Uint8Array(200_000).fill(1);
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(chunk, true, true);
  });
  const stream = serving.request();
  stream.outbound.window = 0;
  await serving.settled();
  // As no one should do: it shows that there is no copy.
  chunk[190_000] = 2;
  stream.outbound.grow(Infinity);
  await serving.settled();
  const third = readResponse(stream).frames[3] as string;
  assert(third.includes("\x02"));
  await serving.leave();
});

Deno.test("Poisoned trailers come after all content that was sent", async () => {
  const serving = serve(async (exchange) => {
    if (exchange.request.target.path === "/other") {
      return await new Promise(() => {});
    }
    exchange.head(200, []);
    const sent = exchange.data(new Uint8Array(200_000), false);
    exchange.abort();
    await sent;
  });
  serving.request(requestFields("GET", "/other"));
  const stream = serving.request();
  stream.outbound.window = 10;
  await serving.settled();
  stream.outbound.grow(Infinity);
  await serving.settled();
  const { frames, ended } = readResponse(stream);
  assertEquals(frames.length, 6);
  assertEquals(frames.at(-1), [[":status", "500"]]);
  assert(ended);
  await serving.leave();
});

Deno.test("A response that was not begun ends without a head", async () => {
  const serving = serve(async (exchange) => {
    if (exchange.request.target.path === "/other") await new Promise(() => {});
    exchange.abort();
  });
  serving.request(requestFields("GET", "/other"));
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream), { frames: [], ended: true });
  await serving.leave();
});

Deno.test("Responses that are written are not probed", async () => {
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    for (const { promise } of next) {
      await promise;
      await exchange.data(bytes("a"), false);
    }
    await exchange.data(bytes("b"), true);
  });
  const stream = serving.request();
  await serving.quic.passTime(10_000);
  next[0].resolve();
  await serving.quic.passTime(10_000);
  next[1].resolve();
  await serving.quic.passTime(100_000);
  assertEquals(readResponse(stream).frames.slice(1), ["a", "a", "b"]);
  await serving.leave();
});

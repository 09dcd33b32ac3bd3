// The bytes of a stream in both directions, after an extended CONNECT.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ByteStream } from "../../src/streams/byte_stream.ts";
import { bytes, text } from "../_feeding.ts";
import type { ClientStream } from "./_client_stream.ts";
import { type Connected, settled } from "./_in_memory.ts";
import { leave, serve } from "./_serving.ts";

/** Opens a tunnel. */
async function openTunnel(settings = {}): Promise<
  {
    connected: Connected<unknown>;
    stream: ClientStream;
    tunnel: ByteStream;
  }
> {
  const accepted = Promise.withResolvers<ByteStream>();
  const connected = serve(
    async (exchange) => {
      assert(exchange.bodyComplete);
      accepted.resolve(await exchange.upgrade([["x", "1"]]));
      assertEquals(exchange.status, 200);
    },
    { writeTimeout: 1000 },
    { settings, autoCredit: false },
  );
  const stream = connected.client.open(
    { method: "CONNECT", protocol: "websocket" },
    false,
  );
  const tunnel = await accepted.promise;
  await stream.head();
  return { connected, stream, tunnel };
}

Deno.test("Bytes go in both directions, after a 200", async () => {
  const { connected, stream, tunnel } = await openTunnel();
  assertEquals([stream.status, stream.header("x")], [200, "1"]);
  await stream.send("ping");
  assertEquals(text((await tunnel.reader.read(99))!), "ping");
  await tunnel.write(bytes("pong"));
  await stream.contentOf(4);
  assertEquals([stream.content, tunnel.bytesSent], ["pong", 4]);
  await stream.send("", true);
  assertEquals(await tunnel.reader.read(99), null);
  await tunnel.close(1000);
  await settled();
  assert(stream.complete);
  assertEquals(stream.resetCode, undefined);
  await leave(connected);
});

Deno.test("A write waits for the window", async () => {
  const { connected, stream, tunnel } = await openTunnel({
    INITIAL_WINDOW_SIZE: 2,
  });
  let written = false;
  const write = tunnel.write(bytes("abcd")).then(() => written = true);
  await settled();
  assertEquals([stream.content, written], ["ab", false]);
  stream.grant(2);
  await write;
  await stream.contentOf(4);
  tunnel.abort();
  await leave(connected);
});

Deno.test("abort() resets the stream, and fails what waits", async () => {
  const { connected, stream, tunnel } = await openTunnel();
  const read = assertRejects(() => tunnel.reader.read(99));
  tunnel.abort();
  await read;
  await assertRejects(() => tunnel.write(bytes("x")));
  await settled();
  assertEquals(stream.resetCode, "CANCEL");
  await leave(connected);
});

Deno.test("A client that resets is lost", async () => {
  const { connected, stream, tunnel } = await openTunnel();
  const read = assertRejects(() => tunnel.reader.read(99), Error, "CANCEL");
  stream.cancel();
  await read;
  await assertRejects(() => tunnel.write(bytes("x")), Error, "CANCEL");
  await tunnel.close(1000);
  await leave(connected);
});

Deno.test("A client that does not end its side is cut in time", async () => {
  const { connected, stream, tunnel } = await openTunnel();
  const closed = tunnel.close(500);
  await settled();
  assert(stream.complete);
  await connected.transport.passTime(501);
  await closed;
  assertEquals(stream.resetCode, "CANCEL");
  await leave(connected);
  assertEquals(connected.transport.deadlines.size, 0);
});

Deno.test("close() resolves when the client ends, with content or without", async () => {
  for (const content of ["", "late"]) {
    let closed = 0;
    using connected = serve(async (exchange) => {
      const tunnel = await exchange.upgrade([]);
      await tunnel.close(60_000);
      closed++;
    });
    const { client } = connected;
    const request = { method: "CONNECT", protocol: "websocket" };
    const stream = client.open(request, false);
    await stream.until(() => stream.complete);
    client.data(stream.id, content, true);
    await settled();
    assertEquals([closed, stream.resetCode], [1, undefined]);
    await leave(connected);
  }
});

Deno.test("A tunnel may bring more bytes than the content of a request", async () => {
  let read = 0;
  using connected = serve(async (exchange) => {
    const { reader } = await exchange.upgrade([]);
    while (await reader.fill().catch(() => false)) {
      read += reader.buffered;
      reader.discard();
    }
  }, { maxBodyBytes: 10 });
  const { client } = connected;
  const request = { method: "CONNECT", protocol: "websocket" };
  const stream = client.open(request, false);
  await stream.head();
  for (let i = 0; i < 5; i++) {
    await stream.send("12345");
    await settled();
  }
  assertEquals(read, 25);
  stream.cancel();
  await leave(connected);
});

Deno.test("What is written after the end fails, and is not sent", async () => {
  const { connected, stream, tunnel } = await openTunnel();
  const closed = tunnel.close(1000);
  await assertRejects(() => tunnel.write(bytes("late")));
  await settled();
  await assertRejects(() => tunnel.write(bytes("later")));
  await settled();
  assertEquals([stream.complete, stream.content], [true, ""]);
  await stream.send("", true);
  await closed;
  await leave(connected);
});

// Flow control of whole connections, both ways (RFC 9113, section 5.2): every
// response arrives whole whatever the client's windows are, and a client can send
// no more than its application reads. The test client checks each DATA against
// the windows that it has granted.

import { assert, assertEquals } from "@std/assert";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { bytes } from "../_feeding.ts";
import { settledSoon } from "../_turns.ts";
import { Random } from "../websocket/_random.ts";
import { abort, disconnected } from "./_outcomes.ts";
import { echo, leave, respond, serve } from "./_serving.ts";

/** Content that differs everywhere. */
function contentOf(length: number, seed = 1): string {
  const random = new Random(seed);
  let content = "";
  while (content.length < length) {
    content += random.integer(0, 1e9).toString(36);
  }
  return content.slice(0, length);
}

/** Answers with `content` in pieces of `size`. */
function sends(content: string, size = 10_000) {
  return async (exchange: Http2Exchange): Promise<void> => {
    exchange.head(200, []);
    for (let at = 0; at < content.length; at += size) {
      const last = at + size >= content.length;
      await exchange.data(bytes(content.slice(at, at + size)), last);
    }
  };
}

for (const window of [1, 7, 1_000, 16_384, 65_535, 2 ** 31 - 1]) {
  Deno.test(`a response arrives whole through a window of ${window}`, async () => {
    const content = contentOf(window < 100 ? 500 : 300_000);
    using connected = serve(sends(content), {}, {
      settings: { INITIAL_WINDOW_SIZE: window },
    });
    const { client } = connected;
    const stream = await client.request();
    assert(stream.content === content);
    assert(stream.complete);
    await leave(connected);
  });
}

Deno.test("through a window of 0, only what needs none is sent", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(exchange.request.target.path === "/empty" ? 204 : 200, []);
      await exchange.data(bytes("content"), true);
    },
    {},
    { settings: { INITIAL_WINDOW_SIZE: 0 } },
  );
  const { client } = connected;
  const waiting = client.open();
  const empty = await client.request({ path: "/empty" });
  const head = await client.request({ method: "HEAD" });
  assertEquals([empty.status, head.status], [204, 200]);
  await client.sync();
  assertEquals([waiting.status, waiting.dataFrames], [200, 0]);
  waiting.grant(7);
  assertEquals((await waiting.response()).content, "content");
  await leave(connected);
});

Deno.test("SETTINGS that change the window amid a response are obeyed", async () => {
  const content = contentOf(400_000);
  using connected = serve(sends(content), {}, { autoCredit: false });
  const { client } = connected;
  client.windowUpdate(0, 10_000_000);
  const stream = client.open();
  await stream.contentOf(65_535);
  // Below zero: what is granted first makes up for that.
  client.settings({ INITIAL_WINDOW_SIZE: 1_000 });
  stream.grant(60_000);
  await client.sync();
  assertEquals(stream.received, 65_535);
  stream.grant(10_000);
  await stream.contentOf(65_535 + 5_465);
  await client.sync();
  assertEquals(stream.received, 71_000);
  client.settings({ INITIAL_WINDOW_SIZE: 1_000_000 });
  assert((await stream.response()).content === content);
  await leave(connected);
});

Deno.test("50 streams share the window of the connection", async () => {
  const contents = Array.from(
    { length: 50 },
    (_, i) => contentOf(50_000, i + 1),
  );
  using connected = serve((exchange) =>
    sends(contents[Number(exchange.request.target.path.slice(1))])(exchange)
  );
  const { client } = connected;
  const streams = client.together(() =>
    contents.map((_, i) => client.open({ path: `/${i}` }))
  );
  await Promise.all(streams.map((stream) => stream.response()));
  for (const [i, stream] of streams.entries()) {
    assert(stream.content === contents[i], `stream ${stream.id}`);
  }
  await leave(connected);
});

Deno.test("what is sent is byte for byte the same, however the transport writes", async () => {
  const random = new Random(3);
  for (let round = 0; round < 20; round++) {
    const content = contentOf(random.integer(1, 200_000), round + 1);
    using connected = serve(sends(content, random.integer(1, 70_000)), {}, {
      transport: {
        piece: random.integer(50, 50_000),
        writeDelays: [0, random.integer(0, 30), 3],
        readDelays: [random.integer(0, 5)],
      },
      settings: { INITIAL_WINDOW_SIZE: random.integer(1_000, 300_000) },
    });
    const { client } = connected;
    const streams = [client.open(), client.open(), client.open()];
    for (const stream of streams) await stream.response();
    assert(streams.every((stream) => stream.content === content));
    await leave(connected);
  }
});

Deno.test("a client that stops to grant holds up its stream, and no other", async () => {
  let sent = 0;
  using connected = serve(
    async (exchange) => {
      if (exchange.request.target.path !== "/large") {
        return await respond(exchange, "small");
      }
      exchange.head(200, []);
      for (; sent < 300; sent++) {
        await exchange.data(new Uint8Array(10_000), sent === 299);
      }
    },
    {},
    { autoCredit: false },
  );
  const { client } = connected;
  client.windowUpdate(0, 100_000_000);
  const large = client.open({ path: "/large" });
  await large.contentOf(65_535);
  await settledSoon();
  assert(sent < 15, `${sent} pieces were taken of the application`);
  for (let i = 0; i < 10; i++) {
    assertEquals((await client.request()).content, "small");
  }
  client.autoCredit = true;
  large.grant(65_535);
  assertEquals((await large.response()).received, 3_000_000);
  await leave(connected);
});

Deno.test("an upload stops at the window of its stream, if nobody reads it", async () => {
  const window = 100_000;
  let read = 0;
  const gate = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await gate.promise;
    for (let chunk; (chunk = await exchange.readBody()) !== null;) {
      read += chunk.length;
    }
    await respond(exchange, String(read));
  }, { http2StreamWindow: window });
  const { client } = connected;
  await client.sync();
  const stream = client.open({ method: "POST" }, false);
  const sending = stream.send(contentOf(1_000_000), true);
  await settledSoon();
  assertEquals([stream.sendable, read], [0, 0]);
  assertEquals(
    client.seen("WINDOW_UPDATE").filter(({ streamId }) => streamId > 0),
    [],
  );
  gate.resolve();
  await sending;
  assertEquals((await stream.response()).content, "1000000");
  await leave(connected);
});

Deno.test("uploads that nobody reads do not stop one that is read", async () => {
  using connected = serve((exchange) => {
    const { path } = exchange.request.target;
    return path === "/hold" ? disconnected(exchange) : echo(exchange);
  });
  const { client } = connected;
  await client.sync();
  // More than the window of the connection, and less than what it may hold.
  const held = Array.from({ length: 10 }, () => {
    const stream = client.open({ method: "POST", path: "/hold" }, false);
    return { stream, sending: stream.send(new Uint8Array(256 * 1024)) };
  });
  for (const { sending } of held) await sending;
  const content = contentOf(500_000);
  const { content: answer } = await client.request({ method: "POST", content });
  assert(answer.endsWith(content));
  await abort(connected);
});

Deno.test("past http2BufferBytes, the connection's window shuts, until some is read", async () => {
  const buffer = 300_000;
  const gate = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await gate.promise;
    await echo(exchange);
  }, { http2BufferBytes: buffer });
  const { client } = connected;
  await client.sync();
  const full = client.rules.sendWindow;
  const uploads = Array.from({ length: 20 }, () => {
    const stream = client.open({ method: "POST" }, false);
    return { stream, sending: stream.send(new Uint8Array(200_000), true) };
  });
  await settledSoon();
  const taken = uploads.reduce(
    (sum, { stream }) =>
      sum + 256 * 1024 - client.rules.stream(stream.id).sendWindow,
    0,
  );
  assert(taken <= full + buffer + 16_384, `${taken} bytes were taken`);
  assertEquals(client.rules.sendWindow < 16_384, true);
  gate.resolve();
  for (const { stream, sending } of uploads) {
    await sending;
    assertEquals((await stream.response()).complete, true);
  }
  await leave(connected);
});

Deno.test("at the end, all credit was given back to the connection", async () => {
  using connected = serve((exchange) => {
    const { path } = exchange.request.target;
    if (path === "/hold") return disconnected(exchange);
    return path === "/early" ? respond(exchange, "early") : echo(exchange);
  });
  const { client } = connected;
  await client.sync();
  const full = client.rules.sendWindow;
  const random = new Random(8);
  for (let i = 0; i < 100; i++) {
    const path = random.pick(["/hold", "/early", "/echo"]);
    const stream = client.open({ method: "POST", path }, false);
    for (let frame = 0; frame < 5; frame++) {
      if (stream.over) break;
      await stream.until(() => stream.sendable > 5_000 || stream.over);
      client.data(stream.id, new Uint8Array(random.integer(1, 5_000)));
    }
    if (path === "/hold" || random.chance(0.3)) stream.cancel();
    else if (!stream.over) client.data(stream.id, "", true);
    await client.sync();
  }
  await settledSoon();
  await client.sync();
  // Up to a half may be owed, which comes with what is sent next.
  assert(client.rules.sendWindow >= full / 2, `${client.rules.sendWindow}`);
  assertEquals(client.goAways, []);
  await leave(connected);
});

Deno.test("tunnels carry bytes both ways, whole and in order, whatever the windows", async () => {
  for (let seed = 1; seed <= 15; seed++) {
    const random = new Random(seed);
    using connected = serve(
      async (exchange) => {
        const tunnel = await exchange.upgrade([]);
        while (await tunnel.reader.fill()) {
          await tunnel.write(tunnel.reader.take(random.integer(1, 50_000))!);
          while (tunnel.reader.buffered > 0) {
            await tunnel.write(tunnel.reader.take(random.integer(1, 50_000))!);
          }
        }
        await tunnel.close(60_000);
      },
      { http2StreamWindow: 65_535 + random.integer(0, 100_000) },
      {
        settings: { INITIAL_WINDOW_SIZE: random.integer(1_000, 100_000) },
        transport: { piece: random.integer(1_000, 50_000) },
      },
    );
    const { client } = connected;
    await client.sync();
    const request = { method: "CONNECT", protocol: "websocket" };
    const tunnels = [1, 2, 3].map((at) => {
      const stream = client.open(request, false);
      const content = contentOf(random.integer(1, 200_000), seed * at);
      return { stream, content, sending: stream.send(content, true) };
    });
    for (const { stream, content, sending } of tunnels) {
      await sending;
      await stream.response();
      assert(stream.content === content, `seed ${seed}`);
      assert(stream.complete && !stream.isReset);
    }
    await leave(connected);
  }
});

// The windows of whole connections, in both directions: nothing stops for good
// that the client, or the application, could let go on.

import { assertEquals } from "@std/assert";
import { SendWindow } from "../../src/http2/flow_window.ts";
import { settled } from "./_in_memory.ts";
import { leave, respond, serve } from "./_serving.ts";

const STREAM_WINDOW = 256 * 1024;

Deno.test("A client that may send nothing at all goes on when applications read", async () => {
  const go = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await go.promise;
    let length = 0;
    for (let chunk; (chunk = await exchange.readBody()) !== null;) {
      length += chunk.length;
    }
    await respond(exchange, String(length));
  });
  const { client } = connected;
  // As much as all applications may leave unread, and the connection's window.
  const streams = Array.from(
    { length: 20 },
    () => client.open({ method: "POST" }, false),
  );
  for (const stream of streams) {
    await stream.send(new Uint8Array(STREAM_WINDOW));
  }
  await settled();
  assertEquals(client.rules.sendWindow, 0);
  go.resolve();
  await settled();
  for (const stream of streams) await stream.send(new Uint8Array(1000), true);
  for (const stream of streams) {
    const { content } = await stream.response();
    assertEquals(content, String(STREAM_WINDOW + 1000));
  }
  await leave(connected);
});

Deno.test("An upload that is read goes on beside many that are not", async () => {
  const end = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    if (exchange.request.target.path === "/unread") return await end.promise;
    let length = 0;
    for (let chunk; (chunk = await exchange.readBody()) !== null;) {
      length += chunk.length;
    }
    await respond(exchange, String(length));
  });
  const { client } = connected;
  for (let i = 0; i < 19; i++) {
    const stream = client.open({ method: "POST", path: "/unread" }, false);
    await stream.send(new Uint8Array(i === 18 ? 200_000 : STREAM_WINDOW));
  }
  const size = 2_000_000;
  const content = new Uint8Array(size);
  const read = await client.request({ method: "POST", content });
  assertEquals(read.content, String(size));
  end.resolve();
  await leave(connected);
});

Deno.test("Windows that SETTINGS change a thousand times at once are adjusted once", async () => {
  let adjusted = 0;
  const { adjust } = SendWindow.prototype;
  SendWindow.prototype.adjust = function (difference: number): void {
    adjusted++;
    adjust.call(this, difference);
  };
  try {
    using connected = serve((exchange) => respond(exchange, "x".repeat(99)), {
      maxConcurrentStreams: 50,
    }, { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 0 } });
    const { client } = connected;
    const streams = Array.from({ length: 50 }, () => client.open());
    await settled();
    client.together(() => {
      for (let i = 0; i < 400; i++) {
        client.settings({ INITIAL_WINDOW_SIZE: 10 });
        client.settings({ INITIAL_WINDOW_SIZE: 0 });
      }
      // A window of its own grows from what is in force by then.
      client.windowUpdate(streams[0].id, 7);
      client.settings({ INITIAL_WINDOW_SIZE: 10 });
    });
    await settled();
    const received = streams.map(({ received }) => received);
    assertEquals(received, [17, ...Array(49).fill(10)]);
    assertEquals(adjusted, 50);
    client.settings({ INITIAL_WINDOW_SIZE: 99 });
    for (const stream of streams) await stream.response();
    await leave(connected);
  } finally {
    SendWindow.prototype.adjust = adjust;
  }
});

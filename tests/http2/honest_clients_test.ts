// What clients of good will do that looks like an attack: none of it may end
// their connections, or stop them.

import { assertEquals } from "@std/assert";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { bytes } from "../_feeding.ts";
import { settled } from "./_in_memory.ts";
import { leave, respond, serve } from "./_serving.ts";

/** The time of `performance`, which passes as the test says. */
class StoppedTime implements Disposable {
  now = performance.now();
  readonly #original = performance.now;

  constructor() {
    performance.now = () => this.now;
  }

  [Symbol.dispose](): void {
    performance.now = this.#original;
  }
}

Deno.test("A client may answer each small message with a WINDOW_UPDATE and a PING", async () => {
  let exchange!: Http2Exchange;
  using connected = serve(
    async (one) => {
      exchange = one;
      one.head(200, []);
      await one.data(bytes("begun"), false);
      await new Promise<void>((resolve) =>
        one.disconnectListener = { disconnected: () => resolve() }
      );
    },
    {},
    { autoCredit: false },
  );
  const { client } = connected;
  const stream = client.open();
  await stream.head();
  for (let i = 0; i < 2000; i++) {
    await exchange.data(bytes("message"), false);
    await settled();
    client.together(() => {
      client.windowUpdate(0, 7);
      client.windowUpdate(stream.id, 7);
      client.ping("bdp-ping");
    });
  }
  await settled();
  assertEquals(client.goAways, []);
  stream.cancel();
  await leave(connected);
});

Deno.test("A client may send many small messages faster than they are read", async () => {
  let length = 0;
  using connected = serve(async (exchange) => {
    for (let chunk; (chunk = await exchange.readBody()) !== null;) {
      length += chunk.length;
    }
    await respond(exchange, "x");
  });
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  const message = bytes("a message of 20 byte");
  for (let i = 0; i < 200; i++) {
    await stream.until(() => stream.sendable >= 500 * 20);
    client.together(() => {
      for (let j = 0; j < 500; j++) client.data(stream.id, message);
    });
    await settled();
  }
  client.data(stream.id, "", true);
  await stream.response();
  assertEquals([stream.status, length], [200, 2_000_000]);
  await leave(connected);
});

Deno.test("A client may reset what was answered before its end", async () => {
  using connected = serve((exchange) => respond(exchange, "early"));
  const { client } = connected;
  for (let i = 0; i < 700; i++) {
    const stream = client.open({ method: "POST" }, false);
    await stream.response();
    stream.cancel("NO_ERROR");
  }
  await settled();
  assertEquals(client.goAways, []);
  await leave(connected);
});

Deno.test("A client may keep a silent stream alive for a day", async () => {
  using time = new StoppedTime();
  using connected = serve((exchange) =>
    new Promise((resolve) =>
      exchange.disconnectListener = { disconnected: () => resolve() }
    )
  );
  const { client } = connected;
  const stream = client.open();
  for (let i = 0; i < 8640; i++) {
    time.now += 10_000;
    client.ping("alive...");
    if (i % 100 === 0) await settled();
  }
  await settled();
  assertEquals(client.goAways, []);
  stream.cancel();
  await leave(connected);
});

Deno.test("A response may wait for as long as others of the client go before it", async () => {
  const content = new Uint8Array(1_000_000);
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(content, true);
    },
    { writeTimeout: 1000 },
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 1_000_000 } },
  );
  const { client, transport } = connected;
  // Neither is incremental: the second is sent after all of the first.
  const headers = [["priority", "u=3"]] as const;
  const first = client.open({ headers });
  const second = client.open({ headers });
  await settled();
  while (!first.complete) {
    await transport.passTime(500);
    client.windowUpdate(0, 50_000);
    await settled();
  }
  assertEquals([second.resetCode, second.received < 65_536], [undefined, true]);
  client.windowUpdate(0, 1_000_000);
  await second.response();
  assertEquals(second.received, content.length);
  await leave(connected);
});

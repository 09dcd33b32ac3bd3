// What an application notices when its client leaves: `receive` gives the
// disconnect, `send` rejects, streams end, and an app that lets the error
// escape is not blamed for it.

import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type AsgiApp,
  ClientDisconnected,
  requestBody,
  respond,
  type Send,
  type SendEvent,
} from "../../mod.ts";
import { http } from "../e2e/_apps.ts";
import { pause, type TestServer } from "../e2e/_testing.ts";
import { disconnectTest, start, wireTest } from "./_wires.ts";
import type { Wire } from "./_wire.ts";

disconnectTest("receive gives the disconnect", async (wire, leave) => {
  const probe = new Probe(async (_scope, receive, send) => {
    await begin(send);
    assertEquals((await receive()).type, "http.request");
    assertEquals((await receive()).type, "http.disconnect");
    assertEquals((await receive()).type, "http.disconnect");
  });
  await using server = start(wire, probe.app);
  await using _gone = await leave(server);
  assertEquals(await probe.outcome, undefined);
  assertEquals(await followUp(wire, server), "still here");
});

disconnectTest("send rejects", async (wire, leave) => {
  const probe = new Probe(async (_scope, _receive, send) => {
    await begin(send);
    await sendForEver(send);
  });
  await using server = start(wire, probe.app);
  await using _gone = await leave(server);
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(server.errors, []);
  assertEquals(await followUp(wire, server), "still here");
});

wireTest(
  "a disconnect is noticed although the app only waits",
  async (wire) => {
    const entered = Promise.withResolvers<void>();
    const probe = new Probe(async (_scope, receive) => {
      await receive();
      entered.resolve();
      assertEquals((await receive()).type, "http.disconnect");
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await entered.promise;
    exchange.leave();
    assertEquals(await probe.outcome, undefined);
  },
);

wireTest("receive gives the disconnect amid an upload", async (wire) => {
  const received = Promise.withResolvers<void>();
  const probe = new Probe(async (_scope, receive, send) => {
    const event = await receive();
    assertEquals(event.type === "http.request" && event.more_body, true);
    received.resolve();
    assertEquals((await receive()).type, "http.disconnect");
    await send({ type: "http.response.start", status: 200 });
  });
  await using server = start(wire, probe.app);
  await using client = await wire.connect(server);
  const exchange = await client.request({ method: "POST", follows: 10 });
  await exchange.send("half");
  await received.promise;
  exchange.leave();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(server.errors, []);
});

wireTest(
  "requestBody errors with the disconnect amid an upload",
  async (wire) => {
    const received = Promise.withResolvers<void>();
    const probe = new Probe(async (_scope, receive) => {
      for await (const _chunk of requestBody(receive)) received.resolve();
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const exchange = await client.request({
      method: "POST",
      follows: "unknown",
    });
    await exchange.send("half");
    await received.promise;
    exchange.leave();
    assertInstanceOf(await probe.outcome, ClientDisconnected);
    assertEquals(server.errors, []);
  },
);

wireTest("events that never end stop when the client leaves", async (wire) => {
  let cleanedUp = false;
  async function* ticks(): AsyncGenerator<string> {
    try {
      for (;;) {
        yield "data: tick\n\n";
        await pause(1);
      }
    } finally {
      cleanedUp = true;
    }
  }
  const probe = new Probe(async (_scope, _receive, send) => {
    await begin(send);
    for await (const body of ticks()) {
      await send({ type: "http.response.body", body, more_body: true });
    }
  });
  await using server = start(wire, probe.app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  await exchange.take(5 + 3 * 12);
  exchange.leave();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(cleanedUp, true);
});

wireTest(
  "a pipe into send.writable stops when the client leaves",
  async (wire) => {
    let cleanedUp = false;
    async function* events(): AsyncGenerator<SendEvent> {
      try {
        yield { type: "http.response.start", status: 200 };
        for (;;) {
          yield { type: "http.response.body", body: "tick", more_body: true };
          await pause(1);
        }
      } finally {
        cleanedUp = true;
      }
    }
    const probe = new Probe(async (_scope, _receive, send) => {
      await ReadableStream.from(events()).pipeTo(send.writable);
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    assertEquals(await exchange.take(4), "tick");
    exchange.leave();
    assertInstanceOf(await probe.outcome, ClientDisconnected);
    assertEquals(cleanedUp, true);
  },
);

wireTest(
  "a send that waits for a client that stopped reading is released",
  async (wire) => {
    const waiting = Promise.withResolvers<void>();
    const probe = new Probe(async (_scope, _receive, send) => {
      await begin(send);
      const timer = setTimeout(() => waiting.resolve(), 100);
      try {
        await sendForEver(send);
      } finally {
        clearTimeout(timer);
      }
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await exchange.take(1);
    await waiting.promise;
    exchange.leave();
    assertInstanceOf(await probe.outcome, ClientDisconnected);
  },
);

wireTest(
  "a disconnect that an app has wrapped is not its fault",
  async (wire) => {
    const probe = new Probe(async (_scope, _receive, send) => {
      await begin(send);
      try {
        await sendForEver(send);
      } catch (cause) {
        throw new AggregateError([new Error("Cannot stream", { cause })]);
      }
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await exchange.take(1);
    exchange.leave();
    assertInstanceOf(await probe.outcome, AggregateError);
    client.close();
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

wireTest("sends that nobody awaits may reject", async (wire) => {
  const probe = new Probe(async (_scope, receive, send) => {
    await begin(send);
    await receive();
    await receive();
    for (let i = 0; i < 10; i++) {
      send({ type: "http.response.body", body: "late", more_body: true });
      await pause(1);
    }
    // One that is awaited shows that the others had a reason to reject.
    await sendForEver(send);
  });
  await using server = start(wire, probe.app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  await exchange.take(1);
  exchange.leave();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(await followUp(wire, server), "still here");
});

wireTest(
  "receive gives the disconnect after a complete response",
  async (wire) => {
    const probe = new Probe(async (_scope, receive, send) => {
      await receive();
      const next = receive();
      await respond(send, 200, { body: "done" });
      assertEquals((await next).type, "http.disconnect");
      assertEquals((await receive()).type, "http.disconnect");
    });
    await using server = start(wire, probe.app);
    await using client = await wire.connect(server);
    const { content } = await client.fetch({
      method: "POST",
      content: "Hello",
    });
    assertEquals(content, "done");
    assertEquals(await probe.outcome, undefined);
  },
);

wireTest("receive ends as a stream with the disconnect", async (wire) => {
  const probe = new Probe(async (_scope, receive, send) => {
    await begin(send);
    const types: string[] = [];
    for await (const { type } of receive) types.push(type);
    assertEquals(types, ["http.request", "http.disconnect"]);
  });
  await using server = start(wire, probe.app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  await exchange.take(1);
  exchange.leave();
  assertEquals(await probe.outcome, undefined);
});

/** Serves its first request by an app whose outcome is kept. */
class Probe {
  readonly #outcome = Promise.withResolvers<unknown>();
  readonly app: AsgiApp;

  constructor(app: Parameters<typeof http>[0]) {
    this.app = http(async (scope, receive, send) => {
      if (scope.path === "/follow-up") {
        return await respond(send, 200, { body: "still here" });
      }
      try {
        await app(scope, receive, send);
        this.#outcome.resolve(undefined);
      } catch (error) {
        this.#outcome.resolve(error);
        throw error;
      }
    });
  }

  /** What the app threw, if anything. */
  get outcome(): Promise<unknown> {
    return this.#outcome.promise;
  }
}

async function begin(send: Send): Promise<void> {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: "begun", more_body: true });
}

async function sendForEver(send: Send): Promise<never> {
  const body = new Uint8Array(64 * 1024);
  for (;;) {
    await send({ type: "http.response.body", body, more_body: true });
    await pause(0);
  }
}

/** What another client is answered. */
async function followUp(wire: Wire, server: TestServer): Promise<string> {
  await using client = await wire.connect(server);
  return (await client.fetch({ path: "/follow-up" })).content;
}

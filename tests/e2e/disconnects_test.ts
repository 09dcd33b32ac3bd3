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
import { http } from "./_apps.ts";
import { post, RawClient, request } from "./_raw_client.ts";
import { reset } from "./_reset.ts";
import { netTest, pause, start } from "./_testing.ts";

/** Ways to leave amid a response. */
const DISCONNECTS: Record<string, (port: number) => Promise<void>> = {
  "closes": async (port) => {
    using client = await RawClient.connect(port);
    await client.get("/");
    await client.readOneByte();
  },
  "closes amid the next request": async (port) => {
    using client = await RawClient.connect(port);
    await client.send(request("GET", "/") + "GET /next HTTP/1.1\r\n");
    await client.readOneByte();
  },
  "resets the connection": (port) => reset(port, request("GET", "/")),
  "resets the connection amid the next request": (port) =>
    reset(port, request("GET", "/") + "GET /next HTTP/1.1\r\n"),
};

for (const [disconnect, leave] of Object.entries(DISCONNECTS)) {
  netTest(
    `receive gives the disconnect if the client ${disconnect}`,
    async () => {
      const probe = new Probe(async (_scope, receive, send) => {
        await begin(send);
        assertEquals((await receive()).type, "http.request");
        assertEquals((await receive()).type, "http.disconnect");
        assertEquals((await receive()).type, "http.disconnect");
      });
      await using server = start(probe.app);
      await leave(server.port);
      assertEquals(await probe.outcome, undefined);
      assertEquals(await followUp(server.connect), "still here");
    },
  );

  netTest(`send rejects if the client ${disconnect}`, async () => {
    const probe = new Probe(async (_scope, _receive, send) => {
      await begin(send);
      await sendForEver(send);
    });
    await using server = start(probe.app);
    await leave(server.port);
    assertInstanceOf(await probe.outcome, ClientDisconnected);
    assertEquals(server.errors, []);
    assertEquals(await followUp(server.connect), "still here");
  });
}

netTest("a disconnect is noticed although the app only waits", async () => {
  const entered = Promise.withResolvers<void>();
  const probe = new Probe(async (_scope, receive) => {
    await receive();
    entered.resolve();
    assertEquals((await receive()).type, "http.disconnect");
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await entered.promise;
  client.close();
  assertEquals(await probe.outcome, undefined);
});

netTest("receive gives the disconnect amid an upload", async () => {
  const received = Promise.withResolvers<void>();
  const probe = new Probe(async (_scope, receive, send) => {
    const event = await receive();
    assertEquals(event.type === "http.request" && event.more_body, true);
    received.resolve();
    assertEquals((await receive()).type, "http.disconnect");
    await send({ type: "http.response.start", status: 200 });
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.send(request("POST", "/", "content-length: 10") + "half");
  await received.promise;
  client.close();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(server.errors, []);
});

netTest("requestBody errors with the disconnect amid an upload", async () => {
  const received = Promise.withResolvers<void>();
  const probe = new Probe(async (_scope, receive) => {
    for await (const _chunk of requestBody(receive)) received.resolve();
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.send(request("POST", "/", "transfer-encoding: chunked"));
  await client.send("4\r\nhalf\r\n");
  await received.promise;
  client.close();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(server.errors, []);
});

netTest("events that never end stop when the client leaves", async () => {
  let cleanedUp = false;
  async function* ticks(): AsyncGenerator<string> {
    try {
      for (let tick = 0;; tick++) {
        yield `data: ${tick}\n\n`;
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
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await client.readHead();
  while (!(await client.readChunk()).startsWith("data: 3"));
  client.close();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(cleanedUp, true);
});

netTest("a pipe into send.writable stops when the client leaves", async () => {
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
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await client.readHead();
  assertEquals(await client.readChunk(), "tick");
  client.close();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(cleanedUp, true);
});

netTest(
  "a send that waits for a client that stopped reading is released",
  async () => {
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
    await using server = start(probe.app);
    using client = await server.connect();
    await client.get("/");
    await client.readOneByte();
    await waiting.promise;
    client.close();
    assertInstanceOf(await probe.outcome, ClientDisconnected);
  },
);

netTest("a disconnect that an app has wrapped is not its fault", async () => {
  const probe = new Probe(async (_scope, _receive, send) => {
    await begin(send);
    try {
      await sendForEver(send);
    } catch (cause) {
      throw new AggregateError([new Error("Cannot stream", { cause })]);
    }
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await client.readOneByte();
  client.close();
  assertInstanceOf(await probe.outcome, AggregateError);
  await server.server.shutdown();
  assertEquals(server.errors, []);
});

netTest("sends that nobody awaits may reject", async () => {
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
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await client.readOneByte();
  client.close();
  assertInstanceOf(await probe.outcome, ClientDisconnected);
  assertEquals(await followUp(server.connect), "still here");
});

netTest("receive gives the disconnect after a complete response", async () => {
  const probe = new Probe(async (_scope, receive, send) => {
    await receive();
    const next = receive();
    await respond(send, 200, { body: "done" });
    assertEquals((await next).type, "http.disconnect");
    assertEquals((await receive()).type, "http.disconnect");
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.send(post("/", "Hello"));
  assertEquals((await client.readResponse()).body, "done");
  assertEquals(await probe.outcome, undefined);
});

netTest("receive ends as a stream with the disconnect", async () => {
  const probe = new Probe(async (_scope, receive, send) => {
    await begin(send);
    const types: string[] = [];
    for await (const { type } of receive) types.push(type);
    assertEquals(types, ["http.request", "http.disconnect"]);
  });
  await using server = start(probe.app);
  using client = await server.connect();
  await client.get("/");
  await client.readOneByte();
  client.close();
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
async function followUp(connect: () => Promise<RawClient>): Promise<string> {
  using client = await connect();
  await client.get("/follow-up");
  return (await client.readResponse()).body;
}

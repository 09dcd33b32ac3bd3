// The limits on connections, and on the requests of each.

import { assertEquals } from "@std/assert";
import { respond } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { type RawClient, request } from "./_raw_client.ts";
import { netTest, pause, start, type TestServer } from "./_testing.ts";

// Connections.

netTest(
  "past maxConnections, the oldest idle connection is closed",
  async () => {
    await using server = start(pathApp, { maxConnections: 2 });
    using first = await connectAndGet(server, "/1");
    using second = await connectAndGet(server, "/2");
    using third = await connectAndGet(server, "/3");
    assertEquals(await first.readToEnd(), "");
    for (const client of [second, third]) {
      await client.get("/again");
      assertEquals((await client.readResponse()).body, "/again");
    }
  },
);

netTest("past maxConnections, a busy connection is not closed", async () => {
  const gate = new Gate();
  await using server = start(gate.app, { maxConnections: 2 });
  using busy = await server.connect();
  await busy.get("/wait");
  await gate.entered;
  using idle = await connectAndGet(server, "/idle");
  using third = await connectAndGet(server, "/3");
  assertEquals(await idle.readToEnd(), "");
  gate.open();
  assertEquals((await busy.readResponse()).body, "/wait");
  await third.get("/again");
  assertEquals((await third.readResponse()).body, "/again");
});

netTest("past maxConnections, the next one waits if none is idle", async () => {
  const gate = new Gate();
  await using server = start(gate.app, { maxConnections: 1 });
  using busy = await server.connect();
  await busy.get("/wait");
  await gate.entered;
  using next = await server.connect();
  await next.get("/next");
  await pause(20);
  assertEquals(gate.handled, ["/wait"]);
  gate.open();
  assertEquals((await busy.readResponse()).body, "/wait");
  assertEquals((await next.readResponse()).body, "/next");
  assertEquals(gate.handled, ["/wait", "/next"]);
});

netTest(
  "past maxConnections, the next one waits until one is idle again",
  async () => {
    const app = http((scope, _receive, send) => {
      // Returns before its response has left.
      send({ type: "http.response.start", status: 200 });
      send({ type: "http.response.body", body: scope.path });
    });
    await using server = start(app, { maxConnections: 1 });
    using first = await server.connect();
    await first.send(request("POST", "/first", "content-length: 10") + "half");
    await first.readHead();
    using next = await server.connect();
    await next.get("/next");
    await pause(20);
    // The first connection becomes idle when the rest of its content is there.
    await first.send("other!");
    assertEquals((await next.readResponse()).body, "/next");
    await first.waitForClose();
  },
);

netTest(
  "past maxConnections, a client that has just come is not closed",
  async () => {
    await using server = start(pathApp, { maxConnections: 1 });
    using first = await server.connect();
    using next = await server.connect();
    await pause(20);
    await next.get("/next");
    await first.get("/first");
    assertEquals((await first.readResponse()).body, "/first");
    assertEquals((await next.readResponse()).body, "/next");
  },
);

netTest(
  "at a shutdown, who waits past maxConnections is answered when there is room",
  async () => {
    const gate = new Gate();
    await using server = start(gate.app, { maxConnections: 1 });
    using busy = await server.connect();
    await busy.get("/wait");
    await gate.entered;
    using next = await server.connect();
    await next.get("/next");
    await pause(20);
    const stopped = server.server.shutdown({ timeout: Infinity });
    gate.open();
    assertEquals((await busy.readResponse()).body, "/wait");
    busy.close();
    assertEquals((await next.readResponse()).body, "/next");
    next.close();
    await stopped;
  },
);

netTest(
  "maxConnections holds through many more clients than that",
  async () => {
    let open = 0;
    let most = 0;
    const app = http(async (scope, _receive, send) => {
      most = Math.max(most, ++open);
      await pause(1);
      open--;
      await respond(send, 200, { body: scope.path });
    });
    await using server = start(app, { maxConnections: 3 });
    const paths = Array.from({ length: 60 }, (_, index) => `/${index}`);
    const bodies = paths.map(async (path) => {
      using client = await server.connect();
      await client.get(path, "connection: close");
      return (await client.readResponse()).body;
    });
    assertEquals(await Promise.all(bodies), paths);
    assertEquals(most <= 3, true);
  },
);

// Requests.

netTest(
  "maxRequestsPerConnection closes after the last response",
  async () => {
    await using server = start(pathApp, { maxRequestsPerConnection: 3 });
    using client = await server.connect();
    const pipelined = ["/1", "/2", "/3", "/4"].map((path) =>
      request("GET", path)
    );
    await client.send(pipelined.join(""));
    for (const path of ["/1", "/2", "/3"]) {
      const { headers, body } = await client.readResponse();
      assertEquals(body, path);
      assertEquals(
        headers.get("connection"),
        path === "/3" ? "close" : undefined,
      );
    }
    assertEquals(await client.readToEnd(), "");
  },
);

/** A client that has had one response. */
async function connectAndGet(
  { connect }: TestServer,
  path: string,
): Promise<RawClient> {
  const client = await connect();
  await client.get(path);
  assertEquals((await client.readResponse()).body, path);
  return client;
}

/** An app that answers with the path, "/wait" only once it is let through. */
class Gate {
  /** The paths of the requests that came to the app. */
  readonly handled: string[] = [];
  readonly #entered = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();

  /** Resolves when a request waits. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  open(): void {
    this.#opened.resolve();
  }

  readonly app = http(async (scope, _receive, send) => {
    this.handled.push(scope.path);
    if (scope.path === "/wait") {
      this.#entered.resolve();
      await this.#opened.promise;
    }
    await respond(send, 200, { body: scope.path });
  });
}

// How a server stops: who is still answered, who learns of it in time, and what
// becomes of the application, however it stops.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AsgiApp, LifespanError, serve } from "../../mod.ts";
import { pathApp } from "./_apps.ts";
import { request, webSocketRequest } from "./_raw_client.ts";
import { netTest, pause, start, until } from "./_testing.ts";

netTest(
  "who waits to be accepted when the shutdown begins is answered",
  async () => {
    const server = start(pathApp);
    using first = await server.connect();
    await first.get("/");
    await first.readResponse();
    // More than are accepted while the last of them connects.
    const clients = await Promise.all(
      Array.from({ length: 100 }, () => server.connect()),
    );
    const stopped = server.server.shutdown({ timeout: Infinity });
    for (const client of clients) await client.get("/waited");
    for (const client of clients) {
      const { body, headers } = await client.readResponse();
      assertEquals(body, "/waited");
      assertEquals(headers.get("connection"), "close");
      client.close();
    }
    await stopped;
  },
);

netTest(
  "a fresh connection may send its first request after the shutdown has begun",
  async () => {
    const server = start(pathApp);
    using used = await server.connect();
    await used.get("/");
    await used.readResponse();
    using fresh = await server.connect();
    const stopped = server.server.shutdown({ timeout: Infinity });
    await fresh.get("/late");
    assertEquals((await fresh.readResponse()).body, "/late");
    fresh.close();
    assertEquals(await used.readToEnd(), "");
    await stopped;
  },
);

netTest(
  "a fresh connection that sends nothing does not hold up a shutdown",
  async () => {
    const server = start(pathApp);
    using client = await server.connect();
    await server.server.shutdown({ timeout: Infinity });
    assertEquals(await client.readToEnd(), "");
  },
);

// The application.

/** An app whose start-up waits for `started`, and that notes its events. */
function slowApp(notes: string[], started: Promise<void>): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "lifespan") {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "x", more_body: true });
      while ((await receive()).type !== "http.disconnect");
      return;
    }
    notes.push((await receive()).type);
    await started;
    await send({ type: "lifespan.startup.complete" });
    notes.push((await receive()).type);
    await send({ type: "lifespan.shutdown.complete" });
  };
}

const BOTH = ["lifespan.startup", "lifespan.shutdown"];

netTest(
  "a shutdown while the application starts lets it start and stop",
  async () => {
    const notes: string[] = [];
    const gate = Promise.withResolvers<void>();
    let listened = false;
    const server = start(slowApp(notes, gate.promise), {
      onListen: () => listened = true,
    });
    const stopped = server.server.shutdown({ timeout: Infinity });
    gate.resolve();
    await stopped;
    assertEquals(notes, BOTH);
    assertEquals(listened, false);
  },
);

netTest("a shutdown gives a start-up up at its timeout", async () => {
  const { promise } = Promise.withResolvers<void>();
  const server = serve(slowApp([], promise), {
    port: 0,
    log() {},
    startupTimeout: Infinity,
  });
  await assertRejects(
    () => server.shutdown({ timeout: 20 }),
    LifespanError,
    "Cannot start application: the server was cut short",
  );
});

netTest(
  "the application gets lifespan.shutdown after a shutdown that cuts",
  async () => {
    const notes: string[] = [];
    const server = start(slowApp(notes, Promise.resolve()));
    using client = await server.connect();
    await client.get("/");
    await client.readHead();
    await server.server.shutdown({ timeout: 0 });
    assertEquals(notes, BOTH);
  },
);

netTest(
  "an onListen that throws stops neither the server nor the application",
  async () => {
    const notes: string[] = [];
    const server = start(slowApp(notes, Promise.resolve()), {
      onListen() {
        throw new Error("fault of the test");
      },
    });
    using client = await server.connect();
    await client.get("/");
    await client.readHead();
    assertEquals(notes, ["lifespan.startup"]);
    await server.server.shutdown({ timeout: 0 });
    assertEquals(notes, BOTH);
  },
);

netTest(
  "an application that does not stop is waited for until it is cut",
  async () => {
    let stopping = false;
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") throw new TypeError("Unknown scope");
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      stopping = true;
      await new Promise(() => {});
    };
    const server = serve(app, { port: 0, log() {}, shutdownTimeout: Infinity });
    const stopped = server.shutdown();
    stopped.catch(() => {});
    await until(() => stopping);
    const error = await assertRejects(
      () => server.shutdown({ timeout: 0 }),
      LifespanError,
    );
    assert(error.message.startsWith("Cannot stop application"));
    await assertRejects(() => stopped, LifespanError);
  },
);

netTest(
  "a signal that shuts down leaves the failure to finished alone",
  async () => {
    const unhandled: unknown[] = [];
    const note = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      unhandled.push(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", note);
    try {
      const controller = new AbortController();
      const server = serve(async (_scope, receive, send) => {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        await send({ type: "lifespan.shutdown.failed", message: "Still open" });
      }, { port: 0, log() {}, signal: controller.signal });
      const rejected = assertRejects(
        () => server.finished,
        LifespanError,
        "Still open",
      );
      controller.abort();
      await rejected;
      await pause(10);
      assertEquals(unhandled, []);
    } finally {
      globalThis.removeEventListener("unhandledrejection", note);
    }
  },
);

netTest(
  "a request that has begun to come on a fresh connection is answered",
  async () => {
    const server = start(pathApp);
    using first = await server.connect();
    await first.get("/");
    await first.readResponse();
    using client = await server.connect();
    await client.send(request("GET", "/slow").slice(0, 10));
    const stopped = server.server.shutdown({ timeout: Infinity });
    assertEquals(await first.readToEnd(), "");
    await client.send(request("GET", "/slow").slice(10));
    assertEquals((await client.readResponse()).body, "/slow");
    client.close();
    await stopped;
  },
);

netTest(
  "a WebSocket that comes after the shutdown has begun is refused",
  async () => {
    const server = start(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      while ((await receive()).type !== "websocket.disconnect");
    }, { lifespan: "off" });
    using first = await server.connect();
    await first.send(webSocketRequest());
    assertEquals((await first.readHead()).status, 101);
    using fresh = await server.connect();
    await pause(20); // Until it is accepted.
    const stopped = server.server.shutdown({ timeout: Infinity });
    await fresh.send(webSocketRequest());
    assertEquals((await fresh.readResponse()).status, 503);
    for (const client of [first, fresh]) client.close();
    await stopped;
  },
);

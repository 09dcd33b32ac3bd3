// The life of a test client: start and stop of its application, their failures,
// and the notice of the shutdown for long-lived responses.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AsgiApp, respond, type SendEvent } from "../../mod.ts";
import { LifespanError, TestClient } from "../../src/testing/mod.ts";
import { clientTest, http, webSocket } from "./_apps.ts";

/** An application that answers start and stop with these events. */
function living(
  started: SendEvent,
  stopped: SendEvent = { type: "lifespan.shutdown.complete" },
  events: string[] = [],
): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      events.push((await receive()).type);
      scope.state.begun = true;
      await send(started);
      events.push((await receive()).type);
      return await send(stopped);
    }
    if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
    const body = JSON.stringify(scope.state ?? null);
    events.push("request");
    if (scope.state !== undefined) scope.state.touched = true;
    await respond(send, 200, { body });
  };
}

const STARTED = { type: "lifespan.startup.complete" } as const;

clientTest("the application starts before, and stops after", async () => {
  const events: string[] = [];
  {
    const app = living(STARTED, undefined, events);
    await using client = await TestClient.start(app);
    assert(client.hasLifespan);
    await client.fetch("/");
  }
  assertEquals(events, ["lifespan.startup", "request", "lifespan.shutdown"]);
});

clientTest("each request has a copy of the state", async () => {
  const app = living(STARTED);
  await using client = await TestClient.start(app, {
    state: { begun: false, given: 1 },
  });
  for (let i = 0; i < 2; i++) {
    const state = await (await client.fetch("/")).json();
    assertEquals(state, { begun: true, given: 1 });
  }
  assertEquals(client.state, { begun: true });
});

clientTest("lifespan can be left out, or be required", async () => {
  const events: string[] = [];
  const app = living(STARTED, undefined, events);
  await using client = await TestClient.start(app, { lifespan: "off" });
  assertEquals(await (await client.fetch("/")).json(), null);
  assertEquals(events, ["request"]);
  const state = { given: 1 };
  await using given = await TestClient.start(app, { lifespan: "off", state });
  assertEquals(await (await given.fetch("/")).json(), state);
  assertEquals(state, { given: 1 });
  const without = http((_scope, _receive, send) => respond(send, 200));
  await using auto = await TestClient.start(without);
  assert(!auto.hasLifespan);
  await assertRejects(
    () => TestClient.start(without, { lifespan: "on" }),
    LifespanError,
    "Cannot start application: it has no lifespan",
  );
});

clientTest(
  "an application that fails to start or to stop says why",
  async () => {
    const failed = {
      type: "lifespan.startup.failed",
      message: "no db",
    } as const;
    await assertRejects(
      () => TestClient.start(living(failed)),
      LifespanError,
      "Cannot start application: no db",
    );
    const stuck = {
      type: "lifespan.shutdown.failed",
      message: "dirty",
    } as const;
    const client = await TestClient.start(living(STARTED, stuck));
    await assertRejects(
      () => client.shutdown(),
      LifespanError,
      "Cannot stop application: dirty",
    );
  },
);

clientTest(
  "what an application throws as it starts is thrown at the end",
  async () => {
    const client = await TestClient.start(async (scope, receive, send) => {
      if (scope.type !== "lifespan") return await respond(send, 200);
      await receive();
      throw new Error("No database");
    });
    assertEquals((await client.fetch("/")).status, 200);
    assertEquals(client.errors.map(String), ["Error: No database"]);
    await assertRejects(() => client.shutdown(), Error, "No database");
  },
);

clientTest("an application that takes too long is not waited for", async () => {
  const never = new Promise<void>(() => {});
  await assertRejects(
    () => TestClient.start(() => never, { lifespanTimeout: 10 }),
    LifespanError,
    "Cannot start application: it takes more than 10 ms",
  );
});

clientTest(
  "a lifespan that fails between start and stop is reported",
  async () => {
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") throw new TypeError("No requests here");
      await receive();
      await send(STARTED);
      throw new RangeError("between");
    };
    const client = await TestClient.start(app);
    await assertRejects(() => client.shutdown(), RangeError, "between");
  },
);

/** Sends events until the server shuts down. */
const events = http(async (scope, _receive, send) => {
  const { signal } = scope.extensions["server.shutdown"]!;
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: "begun ", more_body: true });
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await send({ type: "http.response.body", body: "ended" });
});

clientTest("long responses are given notice of the shutdown", async () => {
  await using announced = await TestClient.start(events);
  const response = await announced.fetch("/");
  announced.announceShutdown();
  assertEquals(await response.text(), "begun ended");
  const shut = await TestClient.start(events);
  const text = (await shut.fetch("/")).text();
  await shut.shutdown();
  assertEquals(await text, "begun ended");
});

clientTest("a shutdown waits for what is in flight", async () => {
  const go = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await go.promise;
    await respond(send, 200);
  });
  const client = await TestClient.start(app);
  const fetching = client.fetch("/");
  const stopping = client.shutdown();
  go.resolve();
  assertEquals((await fetching).status, 200);
  await stopping;
});

clientTest("a shutdown disconnects what is left at its timeout", async () => {
  const app = http(async (_scope, receive) => {
    while ((await receive()).type !== "http.disconnect");
  });
  for (const timeout of [0, 10]) {
    const client = await TestClient.start(app);
    const { response } = client.request("/");
    await client.shutdown({ timeout });
    await assertRejects(() => response, DOMException, "disconnected");
  }
});

clientTest("a shutdown says which requests do not notice it", async () => {
  const go = Promise.withResolvers<void>();
  const client = await TestClient.start(http(() => go.promise));
  const exchange = client.request("/stubborn");
  await assertRejects(
    () => client.shutdown({ timeout: 0 }),
    Error,
    "5000 ms after its client has disconnected: GET /stubborn",
  );
  go.resolve();
  await exchange.finished;
});

clientTest("a shutdown closes WebSockets with 1012", async () => {
  const app = webSocket(async (scope, receive, send) => {
    await receive();
    if (scope.path === "/") await send({ type: "websocket.accept" });
    const event = await receive();
    assertEquals(event.type, "websocket.disconnect");
  });
  await using client = await TestClient.start(app);
  const open = await client.websocket("/");
  const opening = client.websocket("/waits");
  client.announceShutdown();
  assertEquals((await open.closed).code, 1012);
  await assertRejects(() => opening, Error, "denied with status 503");
});

// How a server stops: what it waits for, what it cuts, and when. Everything runs
// over sockets of the loopback interface.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { type AsgiApp, respond, serve } from "../../mod.ts";
import { http, pathApp } from "../e2e/_apps.ts";
import { request } from "../e2e/_raw_client.ts";
import {
  netTest,
  pause,
  start,
  type TestServer,
  until,
} from "../e2e/_testing.ts";

// Stopping.

netTest("shutdown ends a server that nobody is connected to", async () => {
  const server = start(pathApp);
  await server.server.shutdown();
  await server.server.finished;
  await assertRefused(server);
});

netTest("a server can be shut down before it has listened", async () => {
  let listened = false;
  const server = start(pathApp, { onListen: () => listened = true });
  await server.server.shutdown();
  assertEquals(listened, false);
  await assertRefused(server);
});

netTest("the signal shuts the server down", async () => {
  const controller = new AbortController();
  await using server = start(pathApp, { signal: controller.signal });
  using client = await server.connect();
  await client.get("/");
  await client.readResponse();
  controller.abort();
  await server.server.finished;
  assertEquals(await client.readToEnd(), "");
});

netTest(
  "a signal that is aborted already ends the server at once",
  async () => {
    const server = start(pathApp, { signal: AbortSignal.abort() });
    await server.server.finished;
    await assertRefused(server);
  },
);

netTest("await using shuts the server down", async () => {
  let finished: Promise<void>;
  {
    await using server = serve(pathApp, { port: 0, onListen: () => {} });
    finished = server.finished;
  }
  assertEquals(await settled(finished), true);
});

netTest("finished is pending while the server runs", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/");
  await client.readResponse();
  assertEquals(await settled(server.server.finished), false);
});

netTest("shutdown closes idle connections at once", async () => {
  await using server = start(pathApp);
  using fresh = await server.connect();
  using used = await server.connect();
  await used.get("/");
  await used.readResponse();
  const stopped = server.server.shutdown({ timeout: Infinity });
  assertEquals(await used.readToEnd(), "");
  assertEquals(await fresh.readToEnd(), "");
  await stopped;
});

netTest(
  "shutdown lets a response in flight end, with connection: close",
  async () => {
    const gate = new Gate();
    await using server = start(gate.app);
    using client = await server.connect();
    await client.get("/");
    await gate.entered;
    const stopped = server.server.shutdown({ timeout: Infinity });
    await until(() => isRefused(server));
    gate.open();
    const { status, headers, body } = await client.readResponse();
    assertEquals([status, body], [200, "through"]);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
    client.close();
    await stopped;
  },
);

netTest(
  "shutdown answers a request whose head has begun to arrive",
  async () => {
    await using server = start(pathApp);
    using client = await server.connect();
    // A first request shows that the connection has been accepted.
    await client.send(request("GET", "/1") + "GET /2 HTTP/1.1\r\n");
    await client.readResponse();
    const stopped = server.server.shutdown({ timeout: Infinity });
    await client.send("host: test\r\n\r\n");
    const { body, headers } = await client.readResponse();
    assertEquals(body, "/2");
    assertEquals(headers.get("connection"), "close");
    client.close();
    await stopped;
  },
);

netTest("shutdown cuts what is left at its timeout", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown({ timeout: 20 });
  await server.server.finished;
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("shutdown with a timeout of 0 cuts at once", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown({ timeout: 0 });
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("shutdown takes its timeout from shutdownTimeout", async () => {
  const gate = new Gate();
  await using server = start(gate.app, { shutdownTimeout: 20 });
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown();
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("a second shutdown can be more urgent than the first", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  const patient = server.server.shutdown({ timeout: Infinity });
  assertEquals(await settled(patient), false);
  await server.server.shutdown({ timeout: 0 });
  await patient;
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("a server that has finished can be shut down again", async () => {
  const notes: string[] = [];
  const app: AsgiApp = async (scope, receive, send) => {
    if (scope.type !== "lifespan") throw new TypeError("Unknown scope");
    for await (const { type } of receive) {
      notes.push(type);
      await send({ type: `${type as "lifespan.startup"}.complete` });
    }
  };
  const server = start(app);
  await server.server.shutdown();
  await server.server.shutdown();
  await server.server.shutdown({ timeout: 0 });
  assertEquals(notes, ["lifespan.startup", "lifespan.shutdown"]);
  await assertRefused(server);
});

netTest(
  "shutdown waits for an app that runs on after its response",
  async () => {
    const gate = new Gate();
    const app = http(async (_scope, _receive, send) => {
      await respond(send, 200, { body: "done" });
      await gate.pass();
    });
    await using server = start(app);
    {
      using client = await server.connect();
      await client.get("/");
      assertEquals((await client.readResponse()).body, "done");
    }
    const stopped = server.server.shutdown({ timeout: Infinity });
    assertEquals(await settled(stopped), false);
    gate.open();
    await stopped;
  },
);

/** An app that waits in the middle, until a test lets it go on. */
class Gate {
  readonly #entered = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #sent = Promise.withResolvers<unknown>();

  /** Resolves when a request has come to the gate. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  /** What became of the response: the error of its send, if there was one. */
  get sent(): Promise<unknown> {
    return this.#sent.promise;
  }

  /** Lets requests through. */
  open(): void {
    this.#opened.resolve();
  }

  /** Waits at the gate. */
  async pass(): Promise<void> {
    this.#entered.resolve();
    await this.#opened.promise;
  }

  /** Answers after the gate. */
  readonly app: AsgiApp = http(async (_scope, _receive, send) => {
    await this.pass();
    try {
      await respond(send, 200, { body: "through" });
      this.#sent.resolve(undefined);
    } catch (error) {
      this.#sent.resolve(error);
    }
  });
}

/** Whether a promise is settled after a while. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await pause(30);
  return isSettled;
}

/**
 * Checks that a client that comes now is not served: it is refused, unless the
 * system took it just before the listener closed; then it is reset, or closed.
 */
async function assertRefused({ connect }: TestServer): Promise<void> {
  let answer = "";
  try {
    using client = await connect();
    await client.get("/");
    answer = await client.readToEnd();
  } catch (error) {
    const { ConnectionRefused, ConnectionReset, BrokenPipe } = Deno.errors;
    const expected = [ConnectionRefused, ConnectionReset, BrokenPipe];
    if (!expected.some((kind) => error instanceof kind)) throw error;
  }
  assertEquals(answer, "");
}

/** Whether a client that comes now is refused. */
async function isRefused({ connect }: TestServer): Promise<boolean> {
  try {
    (await connect()).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

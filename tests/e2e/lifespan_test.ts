// The lifespan of an application around a real server: what is started before
// the first request is stopped after the last connection.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  type AsgiApp,
  InvalidEventError,
  LifespanError,
  respond,
  type SendEvent,
  serve,
  type ServeOptions,
} from "../../mod.ts";
import { mount } from "../../src/middleware/mod.ts";
import { pathApp } from "./_apps.ts";
import { netTest, start } from "./_testing.ts";

const QUIET: ServeOptions = { port: 0, log() {} };

/** An app that notes what happens; each request adds to its own state. */
function noting(notes: string[]): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      for await (const event of receive) {
        notes.push(event.type);
        if (event.type === "lifespan.startup") {
          scope.state.count = 1;
          await send({ type: "lifespan.startup.complete" });
        } else {
          await send({ type: "lifespan.shutdown.complete" });
        }
      }
      return;
    }
    if (scope.type !== "http") throw new TypeError("Unknown scope");
    notes.push(`request ${scope.state?.count}`);
    if (scope.state !== undefined) scope.state.count = 2;
    await respond(send, 200);
  };
}

async function get(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: "close" } });
  await response.body?.cancel();
  return response.status;
}

netTest(
  "the application starts before, and stops after, all requests",
  async () => {
    const notes: string[] = [];
    const server = serve(noting(notes), QUIET);
    assertEquals(await get(server.url), 200);
    assertEquals(await get(server.url), 200);
    await server.shutdown();
    assertEquals(notes, [
      "lifespan.startup",
      "request 1",
      "request 1",
      "lifespan.shutdown",
    ]);
  },
);

netTest("a request waits until the application has started", async () => {
  const gate = Promise.withResolvers<void>();
  let started = false;
  const server = serve(async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      await receive();
      await gate.promise;
      started = true;
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await send({ type: "lifespan.shutdown.complete" });
    } else {
      await respond(send, started ? 200 : 500);
    }
  }, QUIET);
  const status = get(server.url);
  gate.resolve();
  assertEquals(await status, 200);
  await server.shutdown();
});

netTest("an application that fails to start stops the server", async () => {
  const server = serve(async (_scope, receive, send) => {
    await receive();
    const message = "No database";
    await send({ type: "lifespan.startup.failed", message });
  }, QUIET);
  const error = await assertRejects(
    () => server.finished,
    LifespanError,
    "No database",
  );
  assert(error.message.startsWith("Cannot start application"));
  await assertRejects(() => get(server.url));
});

netTest("an application that never starts fails in time", async () => {
  const server = serve(async (_scope, receive) => {
    for await (const _event of receive);
  }, { ...QUIET, startupTimeout: 20 });
  await assertRejects(
    () => server.finished,
    LifespanError,
    "more than 20 ms",
  );
});

netTest("finished rejects if the application fails to stop", async () => {
  const server = serve(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await send({ type: "lifespan.shutdown.failed", message: "Still open" });
  }, QUIET);
  await assertRejects(
    () => server.shutdown(),
    LifespanError,
    "Still open",
  );
});

/** An app that answers requests, and fails as it starts. */
const failing: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "http") return await respond(send, 200);
  await receive();
  throw new Error("No database");
};

netTest(
  "an application that throws as it starts is served, with a warning",
  async () => {
    await using server = start(failing);
    assertEquals(await get(server.url), 200);
    const warnings = server.records.filter(({ level }) => level !== "debug");
    assertEquals(
      warnings.map(({ level, error }) => [level, String(error)]),
      [["warn", "Error: No database"]],
    );
  },
);

netTest(
  "an application that knows no lifespan is served without a warning",
  async () => {
    await using server = start(pathApp);
    assertEquals(await get(server.url), 200);
    assertEquals(server.records.filter(({ level }) => level !== "debug"), []);
  },
);

netTest(
  "an application that throws as it starts stops a server that requires it",
  async () => {
    const server = serve(failing, { ...QUIET, lifespan: "on" });
    const error = await assertRejects(() => server.finished, LifespanError);
    assertEquals(error.message, "Cannot start application: No database");
  },
);

netTest(
  "a mounted application that throws as it starts is warned of",
  async () => {
    const notes: string[] = [];
    const app = mount({ "/failing": failing, "/noting": noting(notes) });
    {
      await using server = start(app);
      assertEquals(await get(`${server.url}noting`), 200);
      assertEquals(await get(`${server.url}failing`), 200);
      const warnings = server.records.filter(({ level }) => level === "warn");
      assertEquals(
        warnings.map(({ message }) => message),
        ["The application has started, and says: failed to start: No database"],
      );
    }
    assertEquals(notes, ["lifespan.startup", "request 1", "lifespan.shutdown"]);
  },
);

netTest("an answer that is mistyped explains why nothing starts", async () => {
  const server = serve(async (_scope, receive, send) => {
    await receive();
    send({ type: "lifespan.startup.completed" } as unknown as SendEvent);
    await receive();
  }, { ...QUIET, startupTimeout: 20 });
  const error = await assertRejects(() => server.finished, LifespanError);
  assertInstanceOf(error.cause, InvalidEventError);
});

netTest("an application without lifespan is served without state", async () => {
  const states: unknown[] = [];
  const app: AsgiApp = async (scope, _receive, send) => {
    if (scope.type !== "http") throw new TypeError("Unknown scope");
    states.push(scope.state);
    await respond(send, 200);
  };
  const server = serve(app, QUIET);
  assertEquals(await get(server.url), 200);
  await server.shutdown();
  assertEquals(states, [undefined]);
  const strict = serve(app, { ...QUIET, lifespan: "on" });
  await assertRejects(() => strict.finished, LifespanError, "no lifespan");
});

netTest('mode "off" never calls the application for it', async () => {
  const notes: string[] = [];
  const server = serve(noting(notes), { ...QUIET, lifespan: "off" });
  assertEquals(await get(server.url), 200);
  await server.shutdown();
  assertEquals(notes, ["request undefined"]);
});

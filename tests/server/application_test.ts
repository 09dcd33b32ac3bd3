// How long a server waits for its application to start and to stop, and what it
// says of one that is slow, or has something to say.

import { assertEquals, assertRejects } from "@std/assert";
import { LifespanCycle, LifespanError } from "../../src/asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../../src/asgi/types.ts";
import type { LogRecord } from "../../src/logs/records.ts";
import { Application } from "../../src/server/application.ts";
import { ServerLog } from "../../src/server/server_log.ts";

const NEVER = new AbortController().signal;

function create(
  app: AsgiApp,
  timeout = Infinity,
): { application: Application; records: LogRecord[] } {
  const records: LogRecord[] = [];
  const application = new Application(
    new LifespanCycle(app, "auto", () => {}),
    {
      options: { startupTimeout: timeout, shutdownTimeout: timeout },
      log: new ServerLog((record) => records.push(record)),
    },
  );
  return { application, records };
}

/** An application that answers with some events to start and stop. */
function answering(...events: unknown[]): AsgiApp {
  return async (_scope, receive, send) => {
    for (const event of events) {
      await receive();
      await send(event as never);
    }
    await receive();
    await new Promise(() => {});
  };
}

const STARTED = { type: "lifespan.startup.complete" };

Deno.test("An application that starts and stops says nothing", async () => {
  const { application, records } = create(
    answering(STARTED, { type: "lifespan.shutdown.complete" }),
  );
  await application.start(NEVER);
  await application.stop(NEVER);
  assertEquals(records, []);
});

Deno.test("An application without lifespan is served, and that is a detail", async () => {
  const { application, records } = create(() =>
    Promise.reject(new Error("No lifespan here"))
  );
  await application.start(NEVER);
  assertEquals(
    records.map(({ level, message }) => [level, message]),
    [["debug", "The application has no lifespan"]],
  );
});

Deno.test("An application that does not start is waited for no longer than startupTimeout", async () => {
  const { application } = create(answering(), 5);
  await assertRejects(
    () => application.start(NEVER),
    LifespanError,
    "Cannot start application: it takes more than 5 ms",
  );
});

Deno.test("An application is waited for no longer once the server is cut", async () => {
  const { application } = create(answering(STARTED));
  await application.start(NEVER);
  await assertRejects(
    () => application.stop(AbortSignal.abort()),
    LifespanError,
    "Cannot stop application: the server was cut short",
  );
});

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { AsgiApp, HttpScope } from "../../mod.ts";
import {
  checkSharable,
  portsOf,
  withPorts,
} from "../../src/cli/shared_ports.ts";
import { UsageError } from "../../src/cli/errors.ts";
import { countRequests, requestLimit } from "../../src/cli/worker.ts";
import { isFromWorker, isToWorker } from "../../src/cli/worker_messages.ts";

/** Calls an application with nothing but the type of a scope. */
async function call(app: AsgiApp, type: string): Promise<void> {
  const never = (): never => {
    throw new Error("Not expected");
  };
  await app({ type } as HttpScope, never as never, never as never);
}

Deno.test("requestLimit adds a random number up to the jitter", () => {
  assertEquals(requestLimit(100, 10, () => 0), 100);
  assertEquals(requestLimit(100, 10, () => 0.999), 110);
  assertEquals(requestLimit(100, 0, () => 0.999), 100);
  assertEquals(requestLimit(Infinity, 10, () => 0.5), Infinity);
});

Deno.test("countRequests reports once that the limit is reached, when the request is over", async () => {
  let reports = 0;
  const app = countRequests(() => assertEquals(reports, 0), 2, () => reports++);
  await call(app, "http");
  assertEquals(reports, 0);
  await call(app, "websocket");
  assertEquals(reports, 1);
});

Deno.test("countRequests counts requests that fail, but no lifespan", async () => {
  let reports = 0;
  const fail = (): never => {
    throw new Error("broken");
  };
  const app = countRequests(fail, 1, () => reports++);
  await assertRejects(() => call(app, "lifespan"), Error, "broken");
  assertEquals(reports, 0);
  await assertRejects(() => call(app, "http"), Error, "broken");
  assertEquals(reports, 1);
});

Deno.test("Messages of an application are not taken for those of a supervisor or a worker", () => {
  const type = { toString: 1 };
  const others = [null, undefined, "drain", {}, { type: "hello" }, { type }];
  for (const message of [...others, { type: "retire", reason: type }]) {
    assertEquals([isToWorker(message), isFromWorker(message)], [false, false]);
  }
  assertEquals(isToWorker({ type: "drain" }), true);
  assertEquals(isFromWorker({ type: "ready" }), true);
});

Deno.test("withPorts puts the chosen ports in place of those that were asked for", () => {
  const ports = portsOf([
    { transport: "tcp", hostname: "::", port: 4001, secure: false },
    { transport: "unix", path: "/run/app.sock" },
    { transport: "tcp", hostname: "::1", port: 4002, secure: true },
  ]);
  const [first, socket] = [{ port: 0 }, { path: "/run/app.sock" }];
  assertEquals(withPorts({ port: 0 }, ports), { port: 4001 });
  assertEquals(
    withPorts({ listen: [first, socket, { hostname: "::1" }] }, ports),
    { listen: [{ port: 4001 }, socket, { hostname: "::1", port: 4002 }] },
  );
});

Deno.test("checkSharable refuses a unix socket, and names it", () => {
  checkSharable({ port: 8000 });
  assertThrows(
    () => checkSharable({ listen: [{ port: 8000 }, { path: "/run/a" }] }),
    UsageError,
    '"/run/a"',
  );
});

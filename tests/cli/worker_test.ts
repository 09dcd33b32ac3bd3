// The requests after which a worker is replaced.

import { assertEquals, assertRejects } from "@std/assert";
import type { AsgiApp, HttpScope } from "../../mod.ts";
import { countRequests, requestLimit } from "../../src/cli/worker.ts";

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

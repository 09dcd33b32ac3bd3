// The waits of the test client that a clock bounds.

import { assertEquals, assertRejects } from "@std/assert";
import { isWithin, nextTurn } from "../../src/testing/_timing.ts";

Deno.test("isWithin() is true for a promise that is fulfilled in time", async () => {
  assertEquals(await isWithin(nextTurn(), 60_000), true);
});

Deno.test("isWithin() is false for a promise that stays pending", async () => {
  assertEquals(await isWithin(new Promise(() => {}), 1), false);
});

Deno.test("isWithin() rejects as the promise does", async () => {
  const failing = Promise.reject(new Error("failed"));
  await assertRejects(() => isWithin(failing, 60_000), Error, "failed");
});

// Promises that nobody awaits.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { handled } from "../../src/streams/handled.ts";

Deno.test("handled() keeps a rejection from ending the process", async () => {
  // Else, the test would fail.
  handled(Promise.reject(new Error("reported elsewhere")));
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("handled() returns the promise, which still rejects", async () => {
  const promise = Promise.reject(new Error("known"));
  assert(handled(promise) === promise);
  await assertRejects(() => promise, Error, "known");
});

Deno.test("handled() accepts that there is no promise", () => {
  assertEquals(handled(undefined), undefined);
});

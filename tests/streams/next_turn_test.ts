// Work that is put off to the next turn of the event loop.

import { assertEquals } from "@std/assert";
import { callOff, putOff } from "../../src/streams/next_turn.ts";

Deno.test("putOff calls each task once, in order, and not at once", async () => {
  const calls: string[] = [];
  const first = (): void => void calls.push("first");
  const { promise, resolve } = Promise.withResolvers<void>();
  putOff(first);
  putOff(resolve);
  putOff(first);
  await Promise.resolve();
  assertEquals(calls, []);
  await promise;
  assertEquals(calls, ["first"]);
});

Deno.test("putOff may be called by a task", async () => {
  await new Promise<void>((resolve) => putOff(() => putOff(resolve)));
});

Deno.test("A task that was called off is not called, and others are", async () => {
  const calls: string[] = [];
  const first = (): void => void calls.push("first");
  putOff(first);
  const second = new Promise<void>((resolve) => putOff(resolve));
  callOff(first);
  await second;
  assertEquals(calls, []);
});

Deno.test("When all is called off, no timer is left", () => {
  const task = (): void => {};
  putOff(task);
  callOff(task);
  callOff(task); // Does nothing.
});

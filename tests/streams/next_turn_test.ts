// Work that is put off to the next turn of the event loop.

import { assertEquals } from "@std/assert";
import { PutOffTask } from "../../src/streams/next_turn.ts";

/** Tasks by name, and the names of those that have run, in order. */
function tasksOf(names: string) {
  const calls: string[] = [];
  const tasks = Array.from(
    names,
    (name) => new PutOffTask(() => void calls.push(name)),
  );
  return { calls, tasks };
}

/** Resolves when all that was put off before has run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => new PutOffTask(resolve).putOff());
}

Deno.test("Each task is run once, in order, and not at once", async () => {
  const { calls, tasks: [a, b] } = tasksOf("ab");
  b.putOff();
  a.putOff();
  b.putOff();
  const turn = nextTurn();
  await Promise.resolve();
  assertEquals(calls, []);
  await turn;
  assertEquals(calls, ["b", "a"]);
});

Deno.test("A task may be put off again, by itself too", async () => {
  let runs = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const task = new PutOffTask(() => {
    if (++runs < 3) task.putOff();
    else resolve();
  });
  task.putOff();
  await promise;
  assertEquals(runs, 3);
});

Deno.test("A task that was called off is not run, and others are", async () => {
  const { calls, tasks: [a, b, c] } = tasksOf("abc");
  a.putOff();
  b.putOff();
  c.putOff();
  a.callOff();
  c.callOff();
  a.callOff();
  await nextTurn();
  assertEquals(calls, ["b"]);
});

Deno.test("A task that was called off and put off again is run once", async () => {
  const { calls, tasks: [a, b] } = tasksOf("ab");
  a.putOff();
  b.putOff();
  a.callOff();
  a.putOff();
  await nextTurn();
  assertEquals(calls.sort(), ["a", "b"]);
});

Deno.test("A task may call off another in the same turn, or put it off", async () => {
  const { calls, tasks: [a, b] } = tasksOf("ab");
  new PutOffTask(() => {
    b.putOff();
    a.callOff();
  }).putOff();
  a.putOff();
  await nextTurn();
  await nextTurn();
  assertEquals(calls, ["b"]);
});

Deno.test("When all is called off, no timer is left", () => {
  const { tasks: [a, b] } = tasksOf("ab");
  a.putOff();
  b.putOff();
  a.callOff();
  b.callOff();
  b.callOff(); // Does nothing.
});

// What is on its way between an application and a test: in order, up to 64 KiB.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BoundedQueue } from "../../src/testing/_bounded_queue.ts";
import { isPending } from "../_turns.ts";

const FULL = "x".repeat(64 * 1024);

Deno.test("BoundedQueue gives items in order, and then the end", async () => {
  const queue = new BoundedQueue<string>();
  await queue.put("a");
  await queue.put("b");
  queue.end();
  assertEquals(await queue.take(), "a");
  assertEquals(await queue.take(), "b");
  assertEquals(await queue.take(), undefined);
  assertEquals(queue.ended, true);
});

Deno.test("BoundedQueue lets a taker wait for an item", async () => {
  const queue = new BoundedQueue<string>();
  const taken = queue.take();
  assert(await isPending(taken));
  await queue.put("a");
  assertEquals(await taken, "a");
});

Deno.test("BoundedQueue holds back what does not fit, until something is taken", async () => {
  const queue = new BoundedQueue<string>();
  assertEquals(queue.put("a"), undefined);
  const room = queue.put(FULL);
  assert(room !== undefined && await isPending(room));
  await queue.take();
  assert(await isPending(room));
  await queue.take();
  await room;
});

Deno.test("BoundedQueue makes room when it is cleared", async () => {
  const queue = new BoundedQueue<string>();
  const room = queue.put(FULL);
  queue.clear();
  await room;
  queue.end();
  assertEquals(await queue.take(), undefined);
});

Deno.test("BoundedQueue rejects a wait for room when it is refused", async () => {
  const queue = new BoundedQueue<string>();
  const room = queue.put(FULL)!;
  queue.refuse(new Error("closed"));
  await assertRejects(() => room, Error, "closed");
  assertEquals(await queue.take(), FULL);
  assertEquals(await queue.take(), undefined);
});

Deno.test("BoundedQueue throws what it has failed with, after its last item", async () => {
  const queue = new BoundedQueue<string>();
  await queue.put("a");
  queue.fail(new Error("cut"));
  assertEquals(await queue.take(), "a");
  await assertRejects(() => queue.take(), Error, "cut");
});

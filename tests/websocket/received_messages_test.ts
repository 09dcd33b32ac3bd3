// What the messages of one connection count for, from their arrival on.

import { assertEquals, assertThrows } from "@std/assert";
import { BufferBudget } from "../../src/websocket/buffer_budget.ts";
import { ReceivedMessages } from "../../src/websocket/received_messages.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";

Deno.test("A message counts from its arrival until the next one is taken, or asked for", () => {
  const budget = new BufferBudget(Infinity);
  const messages = new ReceivedMessages(budget);
  messages.arrive(100_000);
  messages.arrive(200_000);
  messages.take(100_000);
  assertEquals(budget.used, 300_000);
  messages.take(200_000);
  assertEquals(budget.used, 200_000);
  messages.forgetTaken();
  messages.forgetTaken();
  assertEquals(budget.used, 0);
});

Deno.test("Small messages count for nothing", () => {
  const budget = new BufferBudget(10);
  const messages = new ReceivedMessages(budget);
  for (let i = 0; i < 10; i++) messages.arrive(64 * 1024);
  for (let i = 0; i < 5; i++) messages.take(64 * 1024);
  messages.dropWaiting();
  messages.forgetTaken();
  assertEquals(budget.used, 0);
});

Deno.test("Messages that are dropped count no more, but the one that was taken", () => {
  const budget = new BufferBudget(Infinity);
  const messages = new ReceivedMessages(budget);
  for (let i = 0; i < 3; i++) messages.arrive(100_000);
  messages.take(100_000);
  messages.dropWaiting();
  assertEquals(budget.used, 100_000);
  messages.dropWaiting();
  messages.forgetTaken();
  assertEquals(budget.used, 0);
});

Deno.test("A message that the budget has no room for is refused, and counts for nothing", () => {
  const budget = new BufferBudget(150_000);
  const messages = new ReceivedMessages(budget);
  messages.arrive(100_000);
  assertThrows(() => messages.arrive(100_000), WebSocketError);
  messages.dropWaiting();
  assertEquals(budget.used, 0);
});

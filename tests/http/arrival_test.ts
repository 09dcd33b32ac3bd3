import { assertEquals, assertRejects } from "@std/assert";
import { Arrival } from "../../src/http/arrival.ts";
import { MemoryTransport } from "./_memory_transport.ts";

Deno.test("All who wait go on when content comes", async () => {
  const transport = new MemoryTransport();
  const arrival = new Arrival(() => transport.createDeadline());
  const waits = [arrival.wait(1000), arrival.wait(Infinity)];
  arrival.came();
  await Promise.all(waits);
  await transport.passTime(2000);
  arrival.end(new Error("of the test"));
  assertEquals(transport.deadlines.size, 0);
});

Deno.test("A wait that is too long is a 408, and the next one begins anew", async () => {
  const transport = new MemoryTransport();
  const arrival = new Arrival(() => transport.createDeadline());
  const late = assertRejects(() => arrival.wait(1000), Error, "Cannot wait");
  await transport.passTime(1001);
  await late;
  const next = arrival.wait(1000);
  await transport.passTime(999);
  arrival.came();
  await next;
});

Deno.test("At the end, those who wait learn why", async () => {
  const transport = new MemoryTransport();
  const arrival = new Arrival(() => transport.createDeadline());
  const wait = assertRejects(() => arrival.wait(1000), Error, "of the test");
  arrival.end(new Error("of the test"));
  await wait;
  assertEquals(transport.deadlines.size, 0);
});

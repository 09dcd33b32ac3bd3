import { assertEquals } from "@std/assert";
import { Stall } from "../../src/http2/stall.ts";
import { MemoryTransport } from "../http/_memory_transport.ts";

Deno.test("What is no progress is a stall, after a while", async () => {
  const transport = new MemoryTransport();
  let stalls = 0;
  const stall = new Stall(transport.createDeadline(), 1000, () => stalls++);
  stall.begin();
  for (let i = 0; i < 5; i++) {
    await transport.passTime(900);
    stall.sent(1024, 9);
  }
  assertEquals(stalls, 0);
  await transport.passTime(900);
  stall.sent(1023, 9);
  await transport.passTime(200);
  assertEquals(stalls, 1);
  stall.end();
});

Deno.test("When nothing waits, nothing stalls", async () => {
  const transport = new MemoryTransport();
  let stalls = 0;
  const stall = new Stall(transport.createDeadline(), 1000, () => stalls++);
  stall.begin();
  stall.sent(1, 0);
  await transport.passTime(5000);
  assertEquals(stalls, 0);
  stall.end();
  assertEquals(transport.deadlines.size, 0);
});

Deno.test("What waits for other streams is not the client's fault", async () => {
  const transport = new MemoryTransport();
  let stalls = 0;
  let sentInstead = 0;
  const stall = new Stall(
    transport.createDeadline(),
    1000,
    () => stalls++,
    () => sentInstead,
  );
  stall.begin();
  for (let i = 0; i < 3; i++) {
    sentInstead += 1024;
    await transport.passTime(1000);
    assertEquals(stalls, 0);
  }
  sentInstead += 1023;
  await transport.passTime(1000);
  assertEquals(stalls, 1);
  stall.end();
});

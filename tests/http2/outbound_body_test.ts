import { assertEquals, assertRejects } from "@std/assert";
import { unawaited } from "../_unawaited.ts";
import { OutboundBody } from "../../src/http2/outbound_body.ts";

Deno.test("Content is taken in the order in which it was added", async () => {
  const body = new OutboundBody();
  const log: string[] = [];
  const first = body.add(new Uint8Array([1, 2, 3])).then(() => log.push("a"));
  const second = body.add(new Uint8Array([4])).then(() => log.push("b"));
  assertEquals(body.waiting, 4);
  assertEquals(body.take(2), new Uint8Array([1, 2]));
  assertEquals(body.take(2), new Uint8Array([3]));
  await first;
  assertEquals(log, ["a"]);
  assertEquals(body.take(9), new Uint8Array([4]));
  await second;
  assertEquals(body.waiting, 0);
});

Deno.test("An empty piece waits for those before it, and for nothing else", async () => {
  const body = new OutboundBody();
  await body.add(new Uint8Array(0));
  const first = body.add(new Uint8Array([1]));
  const last = body.add(new Uint8Array(0));
  body.take(1);
  await Promise.all([first, last]);
});

Deno.test("What is dropped rejects, whether or not somebody waits", async () => {
  const body = new OutboundBody();
  const awaited = body.add(new Uint8Array([1]));
  unawaited(body.add(new Uint8Array([2])));
  body.drop(new Error("of the test"));
  assertEquals(body.waiting, 0);
  await assertRejects(() => awaited, Error, "of the test");
});

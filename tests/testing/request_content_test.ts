// The content of a request, as an application receives it.

import { assertEquals, assertRejects } from "@std/assert";
import { RequestContent } from "../../src/testing/_request_content.ts";

Deno.test("RequestContent gives content that is at hand in pieces", async () => {
  const content = new RequestContent(new Uint8Array(100_000));
  assertEquals(content.length, 100_000);
  assertEquals(content.take()?.length, 65_536);
  assertEquals(content.complete, false);
  assertEquals((await content.read())?.length, 34_464);
  assertEquals(content.complete, true);
  assertEquals([content.take(), await content.read()], [undefined, null]);
});

Deno.test("RequestContent is complete at once without content", () => {
  for (const body of [undefined, "", new Uint8Array()]) {
    const { complete, length } = new RequestContent(body);
    assertEquals([complete, length], [true, 0]);
  }
});

Deno.test("RequestContent reads of a stream what is asked for", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++pulls > 2) return controller.close();
      controller.enqueue(new Uint8Array(pulls - 1)); // First, nothing.
    },
  }, { highWaterMark: 0 });
  const content = new RequestContent(body);
  assertEquals([content.length, content.take(), pulls], [
    undefined,
    undefined,
    0,
  ]);
  assertEquals((await content.read())?.length, 1);
  assertEquals(await content.read(), null);
});

Deno.test("RequestContent refuses a stream that gives no bytes", async () => {
  const body = ReadableStream.from(["text"]) as unknown as ReadableStream;
  await assertRejects(
    () => new RequestContent(body).read(),
    TypeError,
    "the stream must give Uint8Arrays, not string",
  );
});

for (const how of ["half-closed", "lost"] as const) {
  Deno.test(`RequestContent is broken off by a client that is ${how}`, async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel: () => void (cancelled = true),
    });
    const content = new RequestContent(body);
    const read = content.read();
    content.break(how);
    await assertRejects(() => read, Error, "Cannot read body");
    assertEquals(cancelled, true);
  });
}

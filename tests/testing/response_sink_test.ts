// The client's end of a response: what reaches it of heads and content.

import { assertEquals, assertRejects } from "@std/assert";
import { AppErrors, CallErrors } from "../../src/testing/_app_errors.ts";
import { ResponseSink } from "../../src/testing/_response_sink.ts";

function createSink({ bodyless = false, onCancel = () => {} } = {}) {
  const call = new CallErrors(new AppErrors(true));
  return { call, sink: new ResponseSink(call, bodyless, onCancel) };
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("ResponseSink makes a Response of head and content", async () => {
  const { sink } = createSink();
  sink.begin(201, [["x-a", "1"], ["connection", "close"]]);
  await sink.data(bytes("a"), false);
  await sink.data(bytes("b"), true);
  const response = await sink.response;
  assertEquals([response.status, await response.text()], [201, "ab"]);
  assertEquals((await sink.head).headers, [["x-a", "1"]]);
  assertEquals([...await sink.trailers], []);
});

Deno.test("ResponseSink drops content where the status or the request has none", async () => {
  const byStatus = createSink().sink;
  byStatus.begin(204, [["content-length", "1"]]);
  const byRequest = createSink({ bodyless: true }).sink;
  byRequest.begin(200, [["content-length", "1"]]);
  for (const sink of [byStatus, byRequest]) {
    assertEquals([sink.data(bytes("a"), true), sink.bodyless], [
      undefined,
      true,
    ]);
    assertEquals((await sink.response).body, null);
  }
  assertEquals((await byStatus.head).headers, []);
  assertEquals((await byRequest.head).headers, [["content-length", "1"]]);
});

Deno.test("ResponseSink holds back content that the test does not read", async () => {
  const { sink } = createSink();
  sink.begin(200, []);
  const room = sink.data(new Uint8Array(64 * 1024), false);
  const reader = (await sink.response).body!.getReader();
  await reader.read();
  await room;
});

Deno.test("ResponseSink fails by what the application has thrown, or as cut short", async () => {
  const failed = createSink();
  failed.call.add(new RangeError("broken"));
  await failed.sink.cut();
  await assertRejects(() => failed.sink.head, RangeError, "broken");
  const { sink } = createSink();
  await sink.cut();
  await assertRejects(() => sink.head, Error, "it was cut short");
});

Deno.test("ResponseSink shows an error page", async () => {
  const { sink } = createSink();
  sink.page(503);
  assertEquals(await (await sink.response).text(), "Service Unavailable\n");
});

Deno.test("ResponseSink reports a test that cancels the content", async () => {
  let cancels = 0;
  const { sink } = createSink({ onCancel: () => cancels++ });
  sink.begin(200, []);
  await (await sink.response).body!.cancel();
  assertEquals(cancels, 1);
});

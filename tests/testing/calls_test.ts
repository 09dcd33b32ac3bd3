// The calls of an application that have not returned.

import { assertEquals } from "@std/assert";
import { AppErrors, CallErrors } from "../../src/testing/_app_errors.ts";
import { Calls } from "../../src/testing/_calls.ts";

function begin(calls: Calls, disconnect: () => void = () => {}) {
  return calls.begin("GET /", new CallErrors(new AppErrors(true)), disconnect);
}

Deno.test("Calls waits until all have returned", async () => {
  const calls = new Calls();
  const { context, returned } = begin(calls);
  const finished = calls.finish(60_000);
  context.onAppReturned();
  await returned;
  await finished;
});

Deno.test("Calls disconnects the clients of those that have not returned in time", async () => {
  const calls = new Calls();
  let disconnects = 0;
  const call = begin(calls, () => {
    disconnects++;
    call.context.onAppReturned();
  });
  await calls.finish(0);
  assertEquals(disconnects, 1);
});

Deno.test("Calls keeps the events that were ignored or refused", () => {
  const calls = new Calls();
  const { context } = begin(calls);
  context.onIgnoredEvent("http.response.body");
  context.onRefusedEvent("refused");
  context.onAppReturned();
  assertEquals(calls.ignored, ["http.response.body"]);
  assertEquals(calls.refused, ["refused"]);
});

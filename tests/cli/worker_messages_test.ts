// The messages between a supervisor and its workers, beside which an application
// may send its own.

import { assertEquals } from "@std/assert";
import { isFromWorker, isToWorker } from "../../src/cli/worker_messages.ts";

Deno.test("Messages of an application are not taken for those of a supervisor or a worker", () => {
  const type = { toString: 1 };
  const others = [null, undefined, "drain", {}, { type: "hello" }, { type }];
  for (const message of [...others, { type: "retire", reason: type }]) {
    assertEquals([isToWorker(message), isFromWorker(message)], [false, false]);
  }
  assertEquals(isToWorker({ type: "drain" }), true);
  assertEquals(isFromWorker({ type: "ready" }), true);
});

// Writing all of some bytes to a sink that takes parts of them.

import { assertEquals, assertRejects } from "@std/assert";
import { writeAll } from "../../src/logs/write_all.ts";
import { Sink, wouldBlock } from "./_sinks.ts";

const BYTES = new TextEncoder().encode("abcdefgh");

Deno.test("writeAll() writes what a sink has not taken", async () => {
  const sink = new Sink();
  sink.most = 3;
  await writeAll(sink, BYTES);
  assertEquals(sink.writes, ["abc", "def", "gh"]);
});

Deno.test("writeAll() tries again where a write would block", async () => {
  const sink = new Sink();
  sink.error = wouldBlock();
  const written = writeAll(sink, BYTES);
  await new Promise((resolve) => setTimeout(resolve, 0));
  sink.error = undefined;
  await written;
  assertEquals(sink.text, "abcdefgh");
});

Deno.test("writeAll() rejects with any other error", async () => {
  const sink = new Sink();
  sink.error = new Error("disk full");
  await assertRejects(() => writeAll(sink, BYTES), Error, "disk full");
});

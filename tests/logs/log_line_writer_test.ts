// The lines of log records: each is written at once, and losses are reported by
// a record.

import { assertEquals, assertMatch } from "@std/assert";
import { logLineWriter } from "../../src/logs/log_line_writer.ts";
import { Sink } from "./_sinks.ts";

const toLine = ({ level, message }: { level: string; message: string }) =>
  `${level} ${message}\n`;

Deno.test("logLineWriter() writes each line", async () => {
  const sink = new Sink();
  const writer = logLineWriter(sink, toLine);
  writer.line("a\n");
  await writer.flush();
  writer.line("b\n");
  await writer.flush();
  assertEquals(sink.writes, ["a\n", "b\n"]);
});

Deno.test("logLineWriter() reports lost lines by a record", async () => {
  const sink = new Sink();
  const writer = logLineWriter(sink, toLine);
  sink.error = new Error("disk full");
  writer.line("lost\n");
  await writer.flush();
  sink.error = undefined;
  writer.line("kept\n");
  await writer.flush();
  assertMatch(sink.text, /^warn Log records were lost: 1,[^\n]*$/m);
  assertMatch(sink.text, /^kept$/m);
});

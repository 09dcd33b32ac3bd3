// Lines leave in few writes, in order, none of them torn; a reader that stalls
// holds up nothing; and what is lost is counted, reported and mentioned.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { LineWriter, type LineWriterOptions } from "../../src/logs/mod.ts";
import { Random } from "../_feeding.ts";
import { within } from "../http/_memory_transport.ts";
import { Sink, wouldBlock } from "./_sinks.ts";

/** Neither time nor size make a writer with these write. */
const PATIENT = { delay: 60_000 };

/** A writer, and where it writes. */
function collecting(options: LineWriterOptions = PATIENT) {
  const sink = new Sink();
  return { sink, lines: new LineWriter(sink, options) };
}

Deno.test("LineWriter collects lines until it is flushed", async () => {
  const { sink, lines } = collecting();
  lines.line("one");
  lines.line("two\n");
  lines.line("");
  assertEquals(sink.writes, []);
  await lines.flush();
  assertEquals(sink.writes, ["one\ntwo\n\n"]);
  lines.line("drei €");
  await lines.flush();
  await lines.flush();
  assertEquals(sink.writes, ["one\ntwo\n\n", "drei €\n"]);
});

Deno.test("LineWriter writes after its delay, once for all lines", async () => {
  const writing = Promise.withResolvers<string>();
  const lines = new LineWriter({
    write(bytes) {
      writing.resolve(new TextDecoder().decode(bytes));
      return Promise.resolve(bytes.length);
    },
  }, { delay: 5 });
  lines.line("one");
  lines.line("two");
  assertEquals(await within(writing.promise), "one\ntwo\n");
});

Deno.test("LineWriter writes when maxBytes are collected", async () => {
  const { sink, lines } = collecting({ ...PATIENT, maxBytes: 10 });
  lines.line("1234");
  assertEquals(sink.writes, []);
  lines.line("6789");
  lines.line("b");
  await lines.flush();
  assertEquals(sink.writes, ["1234\n6789\n", "b\n"]);
});

Deno.test("LineWriter writes a line that is larger than maxBytes whole and in its place", async () => {
  const long = "€".repeat(100);
  const { sink, lines } = collecting({ ...PATIENT, maxBytes: 100 });
  for (const text of ["before", long, "after"]) lines.line(text);
  await lines.flush();
  assertEquals(sink.text, `before\n${long}\nafter\n`);
});

Deno.test("LineWriter writes each line at once where the delay is 0", async () => {
  const { sink, lines } = collecting({ delay: 0 });
  lines.line("one");
  await lines.flush();
  lines.line("two");
  await lines.flush();
  assertEquals(sink.writes, ["one\n", "two\n"]);
});

Deno.test("LineWriter writes what waits when it is disposed of, and later lines at once", async () => {
  const { sink, lines } = collecting();
  {
    await using disposed = lines;
    disposed.line("one");
  }
  assertEquals(sink.writes, ["one\n"]);
  lines.line("late");
  await lines.flush();
  assertEquals(sink.writes, ["one\n", "late\n"]);
});

Deno.test("LineWriter loses nothing of any lines, and tears none, however little a write takes", async () => {
  const random = new Random(0x71e5);
  for (let round = 0; round < 200; round++) {
    const maxBytes = 1 + random.below(40);
    const { sink, lines } = collecting({ ...PATIENT, maxBytes });
    sink.most = 1 + random.below(60);
    const texts = Array.from(
      { length: 20 },
      () => random.pick(["", "a", "é", "€", "🚀"]).repeat(random.below(20)),
    );
    for (const text of texts) {
      lines.line(text);
      if (random.below(3) === 0) await undefined;
    }
    await lines.flush();
    assertEquals(sink.text, texts.map((text) => `${text}\n`).join(""));
    assertEquals(lines.lost, 0);
  }
});

Deno.test("LineWriter tries again where a write would block", async () => {
  const { sink, lines } = collecting();
  sink.error = wouldBlock();
  lines.line("one");
  const flushed = lines.flush();
  await sink.stalled;
  sink.error = undefined;
  await within(flushed);
  assertEquals([sink.text, lines.lost], ["one\n", 0]);
});

Deno.test("LineWriter collects up to its bound while a write stalls, and loses the rest", async () => {
  const { sink, lines } = collecting({
    delay: 0,
    maxBytes: 10,
    maxWaitingBytes: 100,
  });
  sink.stall();
  for (let i = 0; i < 1000; i++) lines.line(String(i).padStart(9, "0"));
  await sink.stalled;
  assertEquals(lines.lost, 1000 - 1 - 10);
  sink.resume();
  await lines.flush();
  const numbers = sink.text.trimEnd().split("\n").map(Number);
  assertEquals(numbers, [...Array(11).keys()]);
  lines.line("after");
  await lines.flush();
  assert(sink.text.endsWith("\nafter\n"));
  assertEquals(lines.lost, 1000 - 1 - 10);
});

Deno.test("LineWriter gives up at its end what nobody reads", async () => {
  const lost: [number, unknown][] = [];
  const { sink, lines } = collecting({
    onLost: (count, error) => void lost.push([count, error]),
  });
  sink.stall();
  lines.line("written at last");
  const flushed = lines.flush();
  lines.line("lost");
  await within(lines[Symbol.asyncDispose]());
  assertEquals([lines.lost, lost], [2, [[2, undefined]]]);
  sink.resume();
  await flushed;
  assertEquals(lines.lost, 2);
});

Deno.test("LineWriter bounds a flush in time where asked to", async () => {
  const { sink, lines } = collecting();
  sink.stall();
  lines.line("one");
  await within(lines.flush(1));
  assertEquals([sink.text, lines.lost], ["", 0]);
  sink.resume();
  await lines.flush(60_000);
  assertEquals(sink.text, "one\n");
});

Deno.test("LineWriter outlives writes that fail, and counts the lines that they lose", async () => {
  const { sink, lines } = collecting();
  sink.error = new Error("Broken by the test");
  for (const text of ["lost", "lost, too"]) lines.line(text);
  await lines.flush();
  lines.line("lost again");
  await lines.flush();
  assertEquals(lines.lost, 3);
  sink.error = undefined;
  lines.line("kept");
  await lines.flush();
  assertEquals([sink.text, lines.lost], ["kept\n", 3]);
});

Deno.test("LineWriter reports the first loss at once, and the others now and then or at the end", async () => {
  const lost: [number, string][] = [];
  const { sink, lines } = collecting({
    onLost: (count, error) => void lost.push([count, String(error)]),
  });
  sink.error = new Error("Broken by the test");
  for (let i = 0; i < 5; i++) {
    lines.line("lost");
    await lines.flush();
  }
  assertEquals(lost, [[1, "Error: Broken by the test"]]);
  await lines[Symbol.asyncDispose]();
  assertEquals(lost.map(([count]) => count), [1, 4]);
});

Deno.test("LineWriter outlives a report that throws", async () => {
  const { sink, lines } = collecting({
    onLost: () => {
      throw new Error("Thrown by the test");
    },
  });
  sink.error = new Error("Broken by the test");
  lines.line("lost");
  await lines.flush();
  assertEquals(lines.lost, 1);
});

Deno.test("LineWriter mentions lost lines where they are missing", async () => {
  const { sink, lines } = collecting({
    delay: 0,
    maxBytes: 4,
    maxWaitingBytes: 4,
    lossLine: (count) => `${count} lost`,
  });
  sink.stall();
  for (const text of ["one", "two", "a", "b"]) lines.line(text);
  sink.resume();
  await lines.flush();
  lines.line("six");
  await lines.flush();
  assertEquals(sink.text, "one\ntwo\n2 lost\nsix\n");
});

Deno.test("LineWriter mentions lines that failed writes have lost, when one succeeds", async () => {
  const { sink, lines } = collecting({
    lossLine: (count) => `${count} lost`,
  });
  sink.error = new Error("Broken by the test");
  for (let i = 0; i < 3; i++) {
    lines.line("lost");
    await lines.flush();
  }
  sink.error = undefined;
  for (const text of ["kept", "kept, too"]) {
    lines.line(text);
    await lines.flush();
  }
  assertEquals(sink.text, "kept\n3 lost\nkept, too\n");
});

Deno.test("LineWriter refuses options that are out of range", () => {
  for (const maxBytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => collecting({ maxBytes }), RangeError, '"maxBytes"');
  }
  for (const maxWaitingBytes of [0, 9, 10.5, NaN, Infinity]) {
    assertThrows(
      () => collecting({ maxBytes: 10, maxWaitingBytes }),
      RangeError,
      '"maxWaitingBytes"',
    );
  }
  for (const delay of [-1, NaN]) {
    assertThrows(() => collecting({ delay }), RangeError, '"delay"');
  }
});

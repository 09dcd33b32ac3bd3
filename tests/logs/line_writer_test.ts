// Lines leave in few writes, in order, none of them lost or torn; and a sink
// that fails takes nothing down with it.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { LineWriter, type LineWriterOptions } from "../../src/logs/mod.ts";
import { Random } from "../_feeding.ts";
import { within } from "../http1/_memory_transport.ts";

/** Neither time nor size make a writer with these write. */
const PATIENT = { delay: 60_000 };

/** A writer, and what it has written. */
function collecting(options: LineWriterOptions = PATIENT) {
  const written: string[] = [];
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const lines = new LineWriter((bytes) => {
    written.push(decoder.decode(bytes));
  }, options);
  return { written, lines };
}

Deno.test("LineWriter collects lines until it is flushed", () => {
  const { written, lines } = collecting();
  lines.line("one");
  lines.line("two\n");
  lines.line("");
  assertEquals(written, []);
  lines.flush();
  assertEquals(written, ["one\ntwo\n\n"]);
  lines.line("drei €");
  lines.flush();
  lines.flush();
  assertEquals(written, ["one\ntwo\n\n", "drei €\n"]);
});

Deno.test("LineWriter writes after its delay, once for all lines", async () => {
  const writing = Promise.withResolvers<string>();
  const lines = new LineWriter(
    (bytes) => writing.resolve(new TextDecoder().decode(bytes)),
    { delay: 5 },
  );
  lines.line("one");
  lines.line("two");
  assertEquals(await within(writing.promise), "one\ntwo\n");
});

Deno.test("LineWriter writes what waits before it holds more than maxBytes", () => {
  const { written, lines } = collecting({ ...PATIENT, maxBytes: 10 });
  lines.line("1234");
  lines.line("6789");
  assertEquals(written, []);
  lines.line("b");
  assertEquals(written, ["1234\n6789\n"]);
  lines.flush();
  assertEquals(written, ["1234\n6789\n", "b\n"]);
});

Deno.test("LineWriter writes a line that is larger than maxBytes whole and in its place", () => {
  const long = "€".repeat(100);
  const { written, lines } = collecting({ ...PATIENT, maxBytes: 100 });
  for (const text of ["before", long, "behind"]) lines.line(text);
  lines.flush();
  assertEquals(written, ["before\n", `${long}\n`, "behind\n"]);
});

Deno.test("LineWriter writes each line at once where the delay is 0", () => {
  const { written, lines } = collecting({ delay: 0 });
  lines.line("one");
  lines.line("two");
  assertEquals(written, ["one\n", "two\n"]);
});

Deno.test("LineWriter writes what waits when it is disposed of, and later lines at once", () => {
  const { written, lines } = collecting();
  {
    using disposed = lines;
    disposed.line("one");
  }
  assertEquals(written, ["one\n"]);
  lines.line("late");
  assertEquals(written, ["one\n", "late\n"]);
});

Deno.test("LineWriter loses nothing of any lines, and tears none", () => {
  const random = new Random(0x71e5);
  for (let round = 0; round < 300; round++) {
    const maxBytes = 1 + random.below(40);
    const { written, lines } = collecting({ ...PATIENT, maxBytes });
    const texts = Array.from(
      { length: 20 },
      () => random.pick(["", "a", "é", "€", "🚀"]).repeat(random.below(20)),
    );
    for (const text of texts) lines.line(text);
    lines.flush();
    assertEquals(written.join(""), texts.map((text) => `${text}\n`).join(""));
    const many = written.filter((part) => part.split("\n").length > 2);
    const { length } = new TextEncoder().encode(many.sort().at(-1) ?? "");
    assert(length <= maxBytes, `${length} bytes in one write`);
    assert(written.every((part) => part.endsWith("\n")));
  }
});

Deno.test("LineWriter outlives writes that fail, counts the lines that they lose, and tells of the first", () => {
  const errors: unknown[] = [];
  const written: string[] = [];
  let failing = true;
  const lines = new LineWriter((bytes) => {
    if (failing) throw new Error("Broken by the test");
    written.push(new TextDecoder().decode(bytes));
  }, { ...PATIENT, onError: (error) => void errors.push(error) });
  for (const text of ["lost", "lost, too"]) lines.line(text);
  lines.flush();
  lines.line("lost again");
  lines.flush();
  assertEquals(errors.map(String), ["Error: Broken by the test"]);
  assertEquals(lines.dropped, 3);
  failing = false;
  lines.line("kept");
  lines.flush();
  assertEquals(written, ["kept\n"]);
  failing = true;
  lines.line("lost");
  lines.flush();
  assertEquals(errors.length, 2);
  assertEquals(lines.dropped, 4);
});

Deno.test("LineWriter outlives writes that fail where nobody wants to know", () => {
  const lines = new LineWriter(() => {
    throw new Error("Broken by the test");
  });
  lines.line("lost");
  lines.flush();
  assertEquals(lines.dropped, 1);
});

Deno.test("LineWriter can be told of its failure in a line of its own", () => {
  const written: string[] = [];
  let failing = true;
  const lines: LineWriter = new LineWriter((bytes) => {
    if (failing) throw new Error("Broken by the test");
    written.push(new TextDecoder().decode(bytes));
  }, { ...PATIENT, onError: () => lines.line("Lines were lost") });
  lines.line("lost");
  lines.flush();
  failing = false;
  lines.flush();
  assertEquals(written, ["Lines were lost\n"]);
});

Deno.test("LineWriter refuses options that are out of range", () => {
  for (const maxBytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => collecting({ maxBytes }), RangeError, '"maxBytes"');
  }
  for (const delay of [-1, NaN]) {
    assertThrows(() => collecting({ delay }), RangeError, '"delay"');
  }
});

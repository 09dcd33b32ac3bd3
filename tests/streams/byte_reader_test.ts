// The reader hands out the same lines and the same bytes however they arrive,
// and refuses what is no line, or one that is too long, as soon as that is
// known; what it refuses stays refused.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  ByteReader,
  LineError,
  type LineFault,
} from "../../src/streams/byte_reader.ts";
import {
  bytes,
  everyFeeding,
  Random,
  randomSplit,
  streamOf,
  text,
} from "../_feeding.ts";

const WIDE = 1_000;

/** What a reader makes of a wire: the text, a fault, or "unfinished". */
type Outcome = { text: string } | { fault: LineFault } | "unfinished";

function readerOf(...chunks: string[]): ByteReader {
  return new ByteReader(streamOf(chunks));
}

/** A reader that has buffered all of its chunks. */
async function filled(...chunks: string[]): Promise<ByteReader> {
  const reader = readerOf(...chunks);
  while (await reader.fill());
  return reader;
}

/** Takes as soon as something can be taken, as a parser does. */
async function outcomeOf(
  reader: ByteReader,
  take: () => string | undefined,
): Promise<Outcome> {
  try {
    for (;;) {
      const text = take();
      if (text !== undefined) return { text };
      if (!await reader.fill()) return "unfinished";
    }
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { fault: error.fault };
  }
}

async function assertLine(
  wire: string,
  maxBytes: number,
  expected: Outcome,
): Promise<void> {
  for (const { name, chunks } of everyFeeding(wire)) {
    const reader = readerOf(...chunks);
    const actual = await outcomeOf(reader, () => reader.takeLine(maxBytes));
    assertEquals(actual, expected, `${JSON.stringify(wire)}, ${name}`);
  }
}

async function assertBlock(
  wire: string,
  limits: [firstLine: number, rest: number],
  expected: Outcome,
): Promise<void> {
  for (const { name, chunks } of everyFeeding(wire)) {
    const reader = readerOf(...chunks);
    const actual = await outcomeOf(reader, () => reader.takeBlock(...limits));
    assertEquals(actual, expected, `${JSON.stringify(wire)}, ${name}`);
  }
}

Deno.test("takeLine() gives a line without its CRLF", async () => {
  await assertLine("\r\n", WIDE, { text: "" });
  await assertLine("a\r\n", WIDE, { text: "a" });
  await assertLine("GET / HTTP/1.1\r\nHost", WIDE, { text: "GET / HTTP/1.1" });
  await assertLine("\ttab and space \r\n", WIDE, { text: "\ttab and space " });
  await assertLine("caf\xc3\xa9 \x80\xff\r\n", WIDE, {
    text: "caf\xc3\xa9 \x80\xff",
  });
});

Deno.test("takeLine() waits for the whole of the CRLF", async () => {
  for (const wire of ["", "a", "a\r"]) {
    await assertLine(wire, WIDE, "unfinished");
  }
});

Deno.test("takeLine() refuses a bare LF and a bare CR", async () => {
  for (const wire of ["\n", "a\n", "a\nb\r\n"]) {
    await assertLine(wire, WIDE, { fault: "bare LF" });
  }
  for (const wire of ["\ra", "a\rb\r\n", "a\r\r\n", "a\r\x00"]) {
    await assertLine(wire, WIDE, { fault: "bare CR" });
  }
});

Deno.test("takeLine() refuses every control character but HTAB", async () => {
  for (let code = 0; code < 256; code++) {
    const byte = String.fromCharCode(code);
    if (byte === "\r" || byte === "\n") continue;
    const control = code < 0x20 && byte !== "\t" || code === 0x7f;
    await assertLine(
      `a${byte}b\r\n`,
      WIDE,
      control ? { fault: "control character" } : { text: `a${byte}b` },
    );
  }
});

Deno.test("takeLine() accepts a line of exactly the limit, and not one byte more", async () => {
  await assertLine("12345\r\n", 5, { text: "12345" });
  await assertLine("123456\r\n", 5, { fault: "line too long" });
  await assertLine("\r\n", 0, { text: "" });
  await assertLine("1\r\n", 0, { fault: "line too long" });
});

Deno.test("takeLine() refuses a line that is too long before its end is there", async () => {
  await assertLine("12345", 5, "unfinished");
  await assertLine("12345\r", 5, "unfinished");
  await assertLine("123456", 5, { fault: "line too long" });
});

Deno.test("takeLine() throws again for a line that it has refused", async () => {
  const reader = await filled("a\nb\r\n\r\n");
  for (let turn = 0; turn < 3; turn++) {
    assertThrows(() => reader.takeLine(WIDE), LineError, "bare LF");
  }
});

Deno.test("takeLine() gives one line after the other", async () => {
  for (const { chunks } of everyFeeding("one\r\n\r\ntw\xf6\r\nrest")) {
    const reader = readerOf(...chunks);
    assertEquals(await reader.readLine(WIDE), "one");
    assertEquals(await reader.readLine(WIDE), "");
    assertEquals(await reader.readLine(WIDE), "tw\xf6");
    assertEquals(await reader.readLine(WIDE), null);
    assertEquals(text((await reader.read(WIDE))!), "rest");
  }
});

Deno.test("takeBlock() gives lines up to the empty one, which is taken as well", async () => {
  await assertBlock("\r\n", [WIDE, WIDE], { text: "" });
  await assertBlock("a\r\n\r\n", [WIDE, WIDE], { text: "a\r\n" });
  await assertBlock("a\r\nb: \xe9\r\nc\r\n\r\nrest\n", [WIDE, WIDE], {
    text: "a\r\nb: \xe9\r\nc\r\n",
  });
});

Deno.test("takeBlock() does not take what follows the block", async () => {
  for (const { chunks } of everyFeeding("a\r\n\r\nb\r\n\r\nrest")) {
    const reader = readerOf(...chunks, "");
    const blocks: string[] = [];
    while (blocks.length < 2) {
      const block = reader.takeBlock(WIDE, WIDE);
      if (block === undefined) await reader.fill();
      else blocks.push(block);
    }
    assertEquals(blocks, ["a\r\n", "b\r\n"]);
    while (await reader.fill());
    assertEquals(text(reader.take(WIDE)!), "rest");
  }
});

Deno.test("takeBlock() waits for its empty line", async () => {
  for (const wire of ["", "a", "a\r", "a\r\n", "a\r\n\r", "a\r\nb\r\n"]) {
    await assertBlock(wire, [WIDE, WIDE], "unfinished");
  }
});

Deno.test("takeBlock() refuses a faulty line wherever it stands", async () => {
  const faults: [string, LineFault][] = [
    ["a\nb\r\n\r\n", "bare LF"],
    ["a\r\nb\n\r\n\r\n", "bare LF"],
    ["a\r\n\n", "bare LF"],
    ["a\rb\r\n\r\n", "bare CR"],
    ["a\r\n\rb", "bare CR"],
    ["a\r\n\r\r\n", "bare CR"],
    ["a\r\nb\x00\r\n\r\n", "control character"],
    ["a\x7f\r\n\r\n", "control character"],
  ];
  for (const [wire, fault] of faults) {
    await assertBlock(wire, [WIDE, WIDE], { fault });
  }
});

Deno.test("takeBlock() limits the first line without its CRLF", async () => {
  await assertBlock("12345\r\nb\r\n\r\n", [5, WIDE], {
    text: "12345\r\nb\r\n",
  });
  await assertBlock("123456\r\nb\r\n\r\n", [5, WIDE], {
    fault: "line too long",
  });
  await assertBlock("123456", [5, WIDE], { fault: "line too long" });
});

Deno.test("takeBlock() limits the other lines together, with their CRLFs", async () => {
  await assertBlock("a\r\n12\r\n456\r\n\r\n", [WIDE, 9], {
    text: "a\r\n12\r\n456\r\n",
  });
  await assertBlock("a\r\n12\r\n4567\r\n\r\n", [WIDE, 9], {
    fault: "block too long",
  });
  await assertBlock("a\r\n\r\n", [WIDE, 0], { text: "a\r\n" });
  await assertBlock("a\r\nb\r\n\r\n", [WIDE, 0], { fault: "block too long" });
});

Deno.test("takeBlock() refuses a block that is too long before its end is there", async () => {
  await assertBlock("a\r\n123456", [WIDE, 6], "unfinished");
  await assertBlock("a\r\n1234567", [WIDE, 6], { fault: "block too long" });
});

Deno.test("LineError says which fault it is", () => {
  const error = new LineError("bare CR");
  assertEquals(error.name, "LineError");
  assertEquals(error.message, "Cannot read line: bare CR");
  assertEquals(error.fault, "bare CR");
});

Deno.test("take() gives what is buffered, up to its limit", async () => {
  const reader = await filled("abc", "def");
  assertEquals(reader.buffered, 6);
  assertEquals(text(reader.take(4)!), "abcd");
  assertEquals(text(reader.take(4)!), "ef");
  assertEquals(reader.take(4), undefined);
  assertEquals(reader.buffered, 0);
});

Deno.test("take() gives chunks that later reads do not change", async () => {
  const random = new Random(7);
  for (let round = 0; round < 50; round++) {
    const wire = random.bytes(200);
    const reader = readerOf(...randomSplit(wire, 10, random).chunks);
    const taken: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    while (await reader.fill()) {
      const chunk = reader.take(1 + random.below(30));
      if (chunk === undefined) continue;
      taken.push(chunk);
      copies.push(chunk.slice());
    }
    for (let chunk; (chunk = reader.take(7));) {
      taken.push(chunk);
      copies.push(chunk.slice());
    }
    assertEquals(taken, copies);
    assertEquals(taken.map(text).join(""), wire);
  }
});

Deno.test("take() does not share memory that a source goes on to fill", async () => {
  const slab = bytes("abcdef");
  const reader = new ByteReader(
    new ReadableStream({
      start(controller) {
        controller.enqueue(slab.subarray(0, 3));
        controller.enqueue(slab.subarray(3, 6));
        controller.close();
      },
    }),
  );
  await reader.fill();
  const first = reader.take(WIDE)!;
  assertEquals(text(first), "abc");
  first.fill(0);
  await reader.fill();
  assertEquals(text(reader.take(WIDE)!), "def");
  assertEquals(text(slab), "abcdef");
});

Deno.test("A source may reuse the memory of a chunk when the next is asked for", async () => {
  const random = new Random(13);
  for (let round = 0; round < 100; round++) {
    const lines = Array.from(
      { length: 10 },
      (_, i) => "x".repeat(random.below(20)) + i,
    );
    const wire = lines.map((line) => `${line}\r\n`).join("");
    const reader = new ByteReader(
      reusingSource(randomSplit(wire, 20, random).chunks),
    );
    for (const line of lines) {
      assertEquals(await reader.readLine(WIDE), line);
      // Reads ahead, as a connection does while a request is handled.
      if (random.below(2) === 0) await reader.fill();
      const ahead = reader.take(random.below(4));
      if (ahead !== undefined) reader.unread(ahead);
    }
    assertEquals(await reader.read(1), null);
  }
});

/** A stream whose chunks all lie in the same memory, one over the other. */
function reusingSource(chunks: readonly string[]): ReadableStream<Uint8Array> {
  const memory = new Uint8Array(Math.max(1, ...chunks.map((c) => c.length)));
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      memory.fill(0);
      const chunk = rest.shift();
      if (chunk === undefined) return controller.close();
      memory.set(bytes(chunk));
      controller.enqueue(memory.subarray(0, chunk.length));
    },
  }, { highWaterMark: 0 });
}

Deno.test("takeExactly() waits until it has all it was asked for", async () => {
  const reader = readerOf("ab", "cd");
  await reader.fill();
  assertEquals(reader.takeExactly(3), undefined);
  await reader.fill();
  assertEquals(text(reader.takeExactly(3)!), "abc");
  assertEquals(reader.buffered, 1);
});

Deno.test("read() gives bytes as they arrive, and null at the end", async () => {
  const reader = readerOf("abc", "", "d");
  assertEquals(text((await reader.read(2))!), "ab");
  assertEquals(text((await reader.read(2))!), "c");
  assertEquals(text((await reader.read(2))!), "d");
  assertEquals(await reader.read(2), null);
  assertEquals(await reader.read(2), null);
});

Deno.test("readLine() gives null when the stream ends within a line", async () => {
  const reader = readerOf("whole\r\nhal", "f\r");
  assertEquals(await reader.readLine(WIDE), "whole");
  assertEquals(await reader.readLine(WIDE), null);
  assertEquals(text(reader.take(WIDE)!), "half\r");
});

Deno.test("readLine() rejects for a line that is too long", async () => {
  const reader = readerOf("12", "34", "56\r\n");
  await assertRejects(() => reader.readLine(5), LineError, "line too long");
});

Deno.test("unread() puts bytes back in front, to be read as lines or bytes", async () => {
  for (const { chunks } of everyFeeding("line\r\nrest")) {
    const reader = readerOf(...chunks);
    await reader.fill();
    const taken = reader.take(3)!;
    reader.unread(taken);
    assertEquals(await reader.readLine(WIDE), "line");
    reader.unread(bytes("re-read and "));
    while (await reader.fill());
    assertEquals(text(reader.take(WIDE)!), "re-read and rest");
  }
});

Deno.test("discard() throws away what is buffered, and only that", async () => {
  const reader = readerOf("unfinished li", "next\r\n");
  await reader.fill();
  assertEquals(reader.takeLine(WIDE), undefined);
  reader.discard();
  assertEquals(reader.buffered, 0);
  assertEquals(await reader.readLine(WIDE), "next");
});

Deno.test("fill() is shared by those who wait at the same time", async () => {
  const reader = readerOf("a", "b");
  const [first, second] = [reader.fill(), reader.fill()];
  assertStrictEquals(first, second);
  assertEquals(await first, true);
  assertEquals(text(reader.take(WIDE)!), "a");
});

Deno.test("fill() says that the stream has ended, again and again", async () => {
  const reader = readerOf("a");
  assertEquals(await reader.fill(), true);
  assertEquals(reader.ended, false);
  assertEquals(await reader.fill(), false);
  assertEquals(await reader.fill(), false);
  assertEquals(reader.ended, true);
  assertEquals(reader.buffered, 1);
});

Deno.test("fill() rejects with what the stream was errored with", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new RangeError("Lost the peer")),
  });
  const reader = new ByteReader(stream);
  await assertRejects(() => reader.fill(), RangeError, "Lost the peer");
  await assertRejects(() => reader.read(1), RangeError, "Lost the peer");
});

Deno.test("cancel() cancels the stream with its reason", async () => {
  let reason: unknown;
  const stream = new ReadableStream<Uint8Array>({
    cancel: (given) => {
      reason = given;
    },
  });
  const reader = new ByteReader(stream);
  await reader.cancel("enough");
  assertEquals(reason, "enough");
  assertEquals(await reader.fill(), false);
});

Deno.test("the reader reads no further than it was asked to", async () => {
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(bytes("line\r\n"));
    },
  }, { highWaterMark: 0 });
  const reader = new ByteReader(stream);
  for (let lines = 1; lines <= 5; lines++) {
    assertEquals(await reader.readLine(WIDE), "line");
    assertEquals(pulls, lines);
  }
});

Deno.test("lines and bytes can be read in turns, however they arrive", async () => {
  const random = new Random(11);
  for (let round = 0; round < 100; round++) {
    const records = Array.from(
      { length: 8 },
      () => random.bytes(40),
    );
    const wire = records
      .map((record) => `${record.length}\r\n${record}`)
      .join("");
    const reader = readerOf(...randomSplit(wire, 20, random).chunks);
    for (const record of records) {
      const length = Number(await reader.readLine(4));
      let content = "";
      while (content.length < length) {
        const chunk = await reader.read(length - content.length);
        assert(chunk !== null);
        content += text(chunk);
      }
      assertEquals(content, record);
    }
    assertEquals(await reader.read(1), null);
  }
});

// The reader hands out the same bytes however they arrive, and reads no further
// than it is asked to.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ByteReader, LineError } from "../../src/streams/byte_reader.ts";
import { bytes, everyFeeding, Random, randomSplit, text } from "../_feeding.ts";
import { filled, readerOf, WIDE } from "./_byte_reader.ts";

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

Deno.test("take() gives chunks whose memory holds nothing else", async () => {
  const reader = new ByteReader(
    reusingSource(["head\r\nabcdef", "ghi", "jkl"]),
  );
  await reader.fill();
  assertEquals(reader.takeLine(WIDE), "head");
  const chunks: Uint8Array[] = [];
  // What is buffered while the next chunk is waited for is moved, once or twice.
  for (const maxBytes of [2, 4, 2, 4]) {
    await reader.fill();
    chunks.push(reader.take(maxBytes)!);
  }
  assertEquals(chunks.map(text), ["ab", "cdef", "gh", "ijkl"]);
  for (const chunk of chunks) {
    assertEquals(chunk.buffer.byteLength, chunk.length);
  }
});

Deno.test("take() gives bytes that have waited for the next chunk, uncopied", async () => {
  const reader = new ByteReader(reusingSource(["abc", "def"]));
  await reader.fill();
  const filling = reader.fill();
  const { buffer } = reader.peek();
  const chunk = reader.take(3)!;
  assertStrictEquals(chunk.buffer, buffer);
  await filling;
  assertEquals(text(chunk), "abc");
  assertEquals(text(reader.take(3)!), "def");
});

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

Deno.test("peek() shows what is buffered, and takes nothing", async () => {
  const reader = new ByteReader(new Blob(["abcdef"]).stream());
  assertEquals(reader.peek().length, 0);
  await reader.fill();
  assertEquals(new TextDecoder().decode(reader.peek()), "abcdef");
  reader.take(2);
  assertEquals(new TextDecoder().decode(reader.peek()), "cdef");
  assertEquals(reader.buffered, 4);
});

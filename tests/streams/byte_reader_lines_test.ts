// The reader hands out the same lines however they arrive, and refuses what is no
// line, or one that is too long, as soon as that is known; what it refuses stays
// refused.

import { assertEquals, assertThrows } from "@std/assert";
import { LineError, type LineFault } from "../../src/streams/byte_reader.ts";
import { everyFeeding, text } from "../_feeding.ts";
import {
  assertBlock,
  assertLine,
  filled,
  readerOf,
  WIDE,
} from "./_byte_reader.ts";

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

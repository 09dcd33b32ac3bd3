// Integers and strings to the wire: what is written is read again, and takes no
// more bytes than it must.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { LiteralReader } from "../../src/http/literal_reader.ts";
import { LiteralWriter } from "../../src/http/literal_writer.ts";
import { Random } from "../_feeding.ts";

Deno.test("integer() writes the examples of RFC 7541, appendix C.1", () => {
  const writer = new LiteralWriter();
  writer.integer(0, 5, 10);
  writer.integer(0, 5, 1337);
  writer.integer(0, 8, 42);
  assertEquals(writer.take().toHex(), "0a1f9a0a2a");
});

Deno.test("integers come back, with every prefix and under all flags", () => {
  const writer = new LiteralWriter();
  for (let prefixBits = 1; prefixBits <= 8; prefixBits++) {
    const largest = (1 << prefixBits) - 1;
    for (const extra of [-1, 0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1]) {
      const value = Math.max(0, largest + extra);
      const flags = 0xff - largest;
      writer.integer(flags, prefixBits, value);
      const bytes = writer.take();
      assertEquals(bytes[0] & flags, flags);
      assertEquals(new LiteralReader(bytes).readInteger(prefixBits), value);
    }
  }
});

Deno.test("integer() writes integers that need more than 32 bits", () => {
  const writer = new LiteralWriter();
  writer.integer(0, 7, 2 ** 49);
  assertEquals(new LiteralReader(writer.take()).readInteger(7, 7), 2 ** 49);
});

Deno.test("string() uses the Huffman code only if that is shorter", () => {
  const writer = new LiteralWriter();
  const samples = [
    ["www.example.com", "8cf1e3c2e5f23a6ba0ab90f4ff"],
    ["302", "826402"],
    ["a", "0161"],
    ["", "00"],
    ["\xff\xff", "02ffff"],
  ];
  for (const [text, wire] of samples) {
    writer.string(0, 7, text);
    assertEquals(writer.take().toHex(), wire, text);
  }
});

Deno.test("strings come back, with every prefix", () => {
  const random = new Random(9204);
  const writer = new LiteralWriter();
  for (let i = 0; i < 500; i++) {
    const prefixBits = 1 + random.below(7);
    const text = random.bytes(random.pick([3, 20, 200, 2000]));
    writer.string(0, prefixBits, text);
    assertEquals(new LiteralReader(writer.take()).readString(prefixBits), text);
  }
});

Deno.test("string() refuses what is no byte string, and writes nothing then", () => {
  const writer = new LiteralWriter();
  writer.string(0, 7, "a");
  assertThrows(
    () => writer.string(0, 7, "\u010a"),
    TypeError,
    "must be byte strings",
  );
  assertEquals(writer.take().toHex(), "0161");
});

Deno.test("take() hands out a copy of all that was written, and begins anew", () => {
  const writer = new LiteralWriter();
  const text = "\xff".repeat(100_000);
  writer.string(0, 7, text);
  const first = writer.take();
  writer.string(0, 7, "b");
  assertEquals(writer.take().toHex(), "0162");
  assert(new LiteralReader(first).readString(7) === text);
  assertEquals(writer.take().length, 0);
});

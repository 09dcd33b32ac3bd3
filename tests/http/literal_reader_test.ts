// Integers and strings from the wire: as the specification shows them, at their
// largest, and cut at each byte.

import { assertEquals } from "@std/assert";
import { LiteralReader, NO_INTEGER } from "../../src/http/literal_reader.ts";

function readerOf(...bytes: number[]): LiteralReader {
  return new LiteralReader(Uint8Array.from(bytes));
}

function fromHex(wire: string): LiteralReader {
  return new LiteralReader(Uint8Array.fromHex(wire));
}

Deno.test("readInteger() reads the examples of RFC 7541, appendix C.1", () => {
  assertEquals(fromHex("0a").readInteger(5), 10);
  assertEquals(fromHex("1f9a0a").readInteger(5), 1337);
  assertEquals(fromHex("2a").readInteger(8), 42);
});

Deno.test("readInteger() ignores the bits above its prefix", () => {
  for (let prefixBits = 1; prefixBits <= 8; prefixBits++) {
    const largest = (1 << prefixBits) - 1;
    assertEquals(readerOf(0xff, 0x00).readInteger(prefixBits), largest);
    assertEquals(readerOf(0xff - largest).readInteger(prefixBits), 0);
  }
});

Deno.test("readInteger() reads four bytes after the prefix, and no more", () => {
  const largest = 31 + 2 ** 28 - 1;
  assertEquals(fromHex("1fffffff7f").readInteger(5), largest);
  assertEquals(fromHex("1fffffffff00").readInteger(5), NO_INTEGER);
  assertEquals(fromHex("1fffffffff01").readInteger(5), NO_INTEGER);
  assertEquals(fromHex("1fffffffffffffffffff7f").readInteger(5), NO_INTEGER);
});

Deno.test("readInteger() counts zeros that add nothing", () => {
  assertEquals(fromHex("1f80808000").readInteger(5), 31);
  assertEquals(fromHex("1f8080808000").readInteger(5), NO_INTEGER);
});

Deno.test("readInteger() reads as many bytes as it may", () => {
  assertEquals(fromHex("7fffffffffffff7f").readInteger(7, 7), 126 + 2 ** 49);
  assertEquals(fromHex("7fffffffffffffff00").readInteger(7, 7), NO_INTEGER);
  assertEquals(fromHex("7e").readInteger(7, 0), 126);
  assertEquals(fromHex("7f00").readInteger(7, 0), NO_INTEGER);
});

Deno.test("readInteger() sees that an integer is cut", () => {
  for (const wire of ["", "1f", "1f9a", "1fffffff"]) {
    assertEquals(fromHex(wire).readInteger(5), NO_INTEGER, wire);
  }
});

Deno.test("readString() reads strings in both forms, one after the other", () => {
  const reader = fromHex("8825a849e95ba97d7f0003616263");
  assertEquals(reader.readString(7), "custom-key");
  assertEquals(reader.readString(7), "");
  assertEquals(reader.readString(7), "abc");
  assertEquals(reader.done, true);
});

Deno.test("readString() takes the bit above its prefix for the code", () => {
  // As a name in QPACK: 001, N, H, and 3 bits of length.
  assertEquals(readerOf(0b00100010, 0x61, 0x62).readString(3), "ab");
  assertEquals(readerOf(0b00111010, 0x64, 0x02).readString(3), "302");
});

Deno.test("readString() sees that a string is cut, or its code is broken", () => {
  for (
    const wire of ["", "01", "036162", "7f", "7fff", "8225", "82ffff", "8100"]
  ) {
    assertEquals(fromHex(wire).readString(7), undefined, wire);
  }
});

Deno.test("peek() leaves the next byte where it is", () => {
  const reader = readerOf(0x82, 0x84);
  assertEquals([reader.peek(), reader.peek()], [0x82, 0x82]);
  assertEquals(reader.readInteger(7), 2);
  assertEquals([reader.peek(), reader.done], [0x84, false]);
  assertEquals([reader.readInteger(7), reader.done], [4, true]);
});

Deno.test("What is cut differs from what is broken", () => {
  const cut = [[0x1f], [0x1f, 0x80]];
  for (const bytes of cut) {
    const reader = readerOf(...bytes);
    assertEquals([reader.readInteger(5), reader.cut], [NO_INTEGER, true]);
  }
  const tooLarge = fromHex("1fffffffffff");
  assertEquals([tooLarge.readInteger(5), tooLarge.cut], [NO_INTEGER, false]);
  for (const wire of ["", "02", "0261", "82", "827f"]) {
    const reader = fromHex(wire);
    assertEquals([reader.readString(7), reader.cut], [undefined, true], wire);
  }
  const broken = fromHex("81ff00");
  assertEquals([broken.readString(7), broken.cut], [undefined, false]);
});

Deno.test("The position is after all that was read", () => {
  const reader = fromHex("1f9a0a0261620a");
  reader.readInteger(5);
  assertEquals(reader.position, 3);
  reader.readString(7);
  assertEquals(reader.position, 6);
});

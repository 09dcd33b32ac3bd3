// A byte string holds one code unit 0-255 a byte, whatever the bytes are: no
// encoding is guessed, nothing is replaced, and lengths are those of the bytes.

import { assertEquals } from "@std/assert";
import {
  byteStringOf,
  decodeByteString,
  encodeByteString,
  encodeByteStringInto,
} from "../../src/streams/byte_string.ts";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const ALL_CODES = String.fromCharCode(...ALL_BYTES);

Deno.test("decodeByteString() makes one code unit of each byte", () => {
  assertEquals(decodeByteString(ALL_BYTES), ALL_CODES);
});

Deno.test("encodeByteString() makes one byte of each code unit", () => {
  assertEquals(encodeByteString(ALL_CODES), ALL_BYTES);
});

Deno.test("decodeByteString() gives the same text with the hint that all is ASCII", () => {
  const ascii = ALL_BYTES.subarray(0, 128);
  assertEquals(decodeByteString(ascii, true), decodeByteString(ascii));
});

Deno.test("decodeByteString() keeps the bytes of a byte order mark and of UTF-8", () => {
  const wire = Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0xa9, 0xff, 0xc0, 0x80);
  assertEquals(decodeByteString(wire), "\xef\xbb\xbf\xc3\xa9\xff\xc0\x80");
});

Deno.test("decodeByteString() takes more bytes than a call has arguments", () => {
  for (const length of [4095, 4096, 4097, 300_000]) {
    const wire = Uint8Array.from({ length }, (_, i) => i % 251);
    assertEquals(encodeByteString(decodeByteString(wire)), wire);
  }
});

Deno.test("byte strings are empty where there are no bytes", () => {
  assertEquals(decodeByteString(new Uint8Array(0)), "");
  assertEquals(decodeByteString(new Uint8Array(0), true), "");
  assertEquals(encodeByteString(""), new Uint8Array(0));
});

Deno.test("encodeByteStringInto() writes to the start of a target with more room", () => {
  for (const text of ["ascii", "caf\xe9", "\xff", "a\x80b", ""]) {
    const target = new Uint8Array(text.length + 4);
    const length = encodeByteStringInto(text, target);
    assertEquals(length, text.length);
    assertEquals(decodeByteString(target.subarray(0, length)), text);
  }
});

Deno.test("encodeByteStringInto() fills a target that has just enough room", () => {
  const target = new Uint8Array(256);
  assertEquals(encodeByteStringInto(ALL_CODES, target), 256);
  assertEquals(target, ALL_BYTES);
});

Deno.test("byteStringOf() makes one code unit of each byte of a part", () => {
  for (const length of [0, 1, 39, 40, 41, 4095, 4096, 4097, 300_000]) {
    for (const values of [128, 256]) {
      const wire = Uint8Array.from(
        { length: length + 9 },
        (_, i) => i % values,
      );
      const expected = decodeByteString(wire.subarray(4, 4 + length));
      assertEquals(byteStringOf(wire, 4, 4 + length), expected);
    }
  }
});

Deno.test("byteStringOf() keeps the bytes of a byte order mark and of UTF-8", () => {
  const wire = Uint8Array.from(
    { length: 60 },
    (_, i) => [0xef, 0xbb, 0xbf][i % 3],
  );
  assertEquals(byteStringOf(wire, 0, 60), "\xef\xbb\xbf".repeat(20));
});

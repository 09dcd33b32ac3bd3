import { assertEquals } from "@std/assert";
import {
  encodeVarints,
  PayloadReader,
  varintLength,
  VarintReader,
} from "../../src/http3/varint.ts";

const SAMPLES: [hex: string, value: number][] = [
  ["25", 37],
  ["7bbd", 15293],
  ["9d7f3e7d", 494878333],
  ["c000000100000000", 2 ** 32],
  ["c01fffffffffffff", Number.MAX_SAFE_INTEGER],
];

for (const [hex, value] of SAMPLES) {
  Deno.test(`The integer ${value} is read and written`, () => {
    const bytes = Uint8Array.fromHex(hex);
    assertEquals(encodeVarints(value), bytes);
    assertEquals(varintLength(value), bytes.length);
    const reader = new VarintReader();
    const read = [...bytes].map((byte) => reader.next(byte));
    assertEquals(read.at(-1), value);
    assertEquals(read.filter((one) => one !== undefined).length, 1);
    assertEquals(reader.midway, false);
  });
}

Deno.test("Long forms are legal, and what no number can hold is Infinity", () => {
  const read = (hex: string) =>
    new PayloadReader(Uint8Array.fromHex(hex)).varint();
  assertEquals(read("4025"), 37);
  assertEquals(read("c000000000000025"), 37);
  assertEquals(read("c020000000000000"), Infinity);
  assertEquals(read("ffffffffffffffff"), Infinity);
});

Deno.test("Each power of two and its neighbours survive", () => {
  for (let bits = 0; bits < 53; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits]) {
      const reader = new PayloadReader(encodeVarints(value, 7));
      assertEquals([reader.varint(), reader.varint()], [value, 7]);
      assertEquals(reader.done, true);
    }
  }
});

Deno.test("An integer that is cut is none", () => {
  for (const hex of ["", "40", "800000", "c0000000000000"]) {
    const reader = new PayloadReader(Uint8Array.fromHex(hex));
    assertEquals(reader.varint(), undefined);
  }
  const reader = new VarintReader();
  reader.next(0x40);
  assertEquals(reader.midway, true);
});

Deno.test("The rest of a payload is what was not read", () => {
  const reader = new PayloadReader(Uint8Array.of(4, 0x75, 0x3d));
  reader.varint();
  assertEquals(reader.rest(), Uint8Array.of(0x75, 0x3d));
});

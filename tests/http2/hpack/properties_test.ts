// What must hold for any fields and any bytes: what is encoded decodes to itself,
// whatever becomes of the table's size; any bytes decode, or give the one error;
// and what is kept stays below its limits.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Field,
  HpackDecoder,
  HpackEncoder,
  HpackError,
} from "../../../src/http2/hpack/mod.ts";
import { Random } from "../../_feeding.ts";
import { NO_LIMITS, tryDecode } from "./_blocks.ts";

const NAMES = [
  ":status",
  ":path",
  ":method",
  "content-type",
  "content-length",
  "date",
  "cookie",
  "authorization",
  "accept-encoding",
  "x-a",
  "x-b",
  "",
];
const VALUES = ["200", "/", "GET", "", "gzip, deflate", "text/html", "0"];
const TABLE_SIZES = [0, 1, 31, 32, 33, 34, 100, 256, 4095, 4096, 65_536];

function randomFields(random: Random): Field[] {
  return Array.from({ length: random.below(12) }, () => {
    const name = random.oneIn(8) ? random.bytes(40) : random.pick(NAMES);
    const own = random.bytes(random.pick([4, 30, 300, 5000]));
    return [name, random.oneIn(3) ? own : random.pick(VALUES)];
  });
}

/** One that is no byte string, which an application might send by mistake. */
function spoil(fields: Field[], random: Random): Field[] {
  return fields.toSpliced(random.below(fields.length + 1), 0, [
    "x-a",
    "\u0100",
  ]);
}

/** Both halves of a connection, which agree on the size of the table. */
function connect(maxTableSize: number) {
  const encoder = new HpackEncoder({ maxTableSize });
  const decoder = new HpackDecoder(NO_LIMITS);
  function setMaxTableSize(bytes: number): void {
    decoder.setMaxTableSize(bytes);
    encoder.setMaxTableSize(bytes);
  }
  return { encoder, decoder, setMaxTableSize };
}

Deno.test("any fields decode to themselves, whatever becomes of the table's size", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const { encoder, decoder, setMaxTableSize } = connect(
      random.pick(TABLE_SIZES),
    );
    for (let i = 0; i < 60; i++) {
      while (random.oneIn(3)) setMaxTableSize(random.pick(TABLE_SIZES));
      const fields = randomFields(random);
      if (random.oneIn(10)) {
        assertThrows(() => encoder.encode(spoil(fields, random)), TypeError);
      }
      const block = encoder.encode(fields);
      assertEquals(decoder.decode(block).fields, fields, `seed ${seed}`);
      assertEquals(decoder.tableSize, encoder.tableSize, `seed ${seed}`);
    }
  }
});

Deno.test("a cut block gives the beginning of its fields, or the error", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const fields = randomFields(new Random(seed)).filter(([, v]) =>
      v.length < 300
    );
    const block = new HpackEncoder().encode(fields);
    for (let end = 0; end < block.length; end++) {
      const result = tryDecode(
        new HpackDecoder(NO_LIMITS),
        block.subarray(0, end),
      );
      if (result instanceof HpackError) continue;
      assertEquals(result, fields.slice(0, result.length));
    }
  }
});

/** Bytes of any value, among many that are whole representations. */
function randomBlock(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + random.below(8) }, () => {
    if (random.oneIn(8)) return random.below(256);
    return random.oneIn(8) ? random.below(3) : 0x81 + random.below(62);
  });
}

Deno.test("any bytes decode, or give the one error", () => {
  let decoded = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const decoder = new HpackDecoder({ maxListSize: 500, maxFields: 10 });
    decoder.decode(new HpackEncoder().encode([["x-a", "1"], ["x-b", "2"]]));
    for (;;) {
      const result = tryDecode(decoder, randomBlock(random));
      if (result instanceof HpackError) break;
      assertWithinLimits(result, decoder);
      decoded++;
    }
  }
  assert(decoded > 1000, `${decoded} blocks decoded`);
});

Deno.test("blocks with some bytes changed decode, or give the one error", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder({ maxListSize: 500, maxFields: 10 });
    for (let i = 0; i < 10; i++) {
      const block = encoder.encode(randomFields(random));
      if (block.length > 0) {
        block[random.below(block.length)] ^= 1 << random.below(8);
      }
      const result = tryDecode(decoder, block);
      if (result instanceof HpackError) break;
      assertWithinLimits(result, decoder);
    }
  }
});

Deno.test("a large entry that is added and referred to stays within the limits", () => {
  const decoder = new HpackDecoder();
  const encoder = new HpackEncoder();
  for (let i = 0; i < 50; i++) {
    const large: Field = ["x-large", `${i}`.padEnd(2900, "\xff")];
    const { fields, tooLarge } = decoder.decode(
      encoder.encode(new Array<Field>(20_000).fill(large)),
    );
    assertEquals([fields.length, tooLarge], [22, true]);
    assert(decoder.tableSize <= 4096);
  }
});

function assertWithinLimits(fields: readonly Field[], decoder: HpackDecoder) {
  const size = fields.reduce(
    (sum, [name, value]) => sum + name.length + value.length + 32,
    0,
  );
  assert(fields.length <= 10 && size <= 500);
  assert(decoder.tableSize <= 4096);
}

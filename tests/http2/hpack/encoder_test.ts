// Encoding: the blocks of the specification's examples, what repeats as one byte,
// secrets, and size updates.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Field,
  HpackDecoder,
  HpackEncoder,
} from "../../../src/http2/hpack/mod.ts";
import { corpusTest, hpackExamples } from "../../_corpora.ts";

const RESPONSE: readonly Field[] = [
  [":status", "200"],
  ["content-type", "text/plain; charset=utf-8"],
  ["date", "Sat, 21 Nov 2026 18:00:00 GMT"],
  ["server", "asgi"],
];

function encode(encoder: HpackEncoder, ...fields: Field[]): string {
  return encoder.encode(fields).toHex();
}

Deno.test("encode() writes the blocks of RFC 7541, appendix C.4", () => {
  const encoder = new HpackEncoder();
  const request: Field[] = [[":method", "GET"], [":scheme", "http"]];
  const host: Field = [":authority", "www.example.com"];
  assertEquals(
    encode(encoder, ...request, [":path", "/"], host),
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
  );
  assertEquals(
    encode(encoder, ...request, [":path", "/"], host, [
      "cache-control",
      "no-cache",
    ]),
    "828684be5886a8eb10649cbf",
  );
});

corpusTest(
  hpackExamples,
  "encode() writes the blocks of RFC 7541, appendix C.4, all of them",
  ({ examples }) => {
    const encoder = new HpackEncoder();
    const example = examples.find(({ section }) => section === "C.4");
    for (const { headers, wire, tableSize } of example!.blocks) {
      assertEquals(encoder.encode(headers).toHex(), wire);
      assertEquals(encoder.tableSize, tableSize);
    }
  },
);

Deno.test("what repeats is one byte", () => {
  const encoder = new HpackEncoder();
  encoder.encode(RESPONSE);
  assertEquals(encode(encoder, ...RESPONSE), "88c0bfbe");
  assertEquals(encode(encoder, ...RESPONSE.toReversed()), "bebfc088");
});

Deno.test("encode() refers to a name that a table has", () => {
  const encoder = new HpackEncoder();
  assertEquals(encode(encoder, ["x-a", "1"]), "4003782d610131");
  assertEquals(encode(encoder, ["x-a", "2"]), "7e0132");
  assertEquals(encode(encoder, [":status", "418"]), "4803343138");
  assertEquals(encode(encoder, ["content-length", "7"]), "0f0d0137");
});

Deno.test("secrets are literals each time, marked as never to be indexed", () => {
  const encoder = new HpackEncoder();
  for (const name of ["authorization", "cookie", "set-cookie", "x-api-key"]) {
    const first = encoder.encode([[name, "secret"]]);
    assertEquals(first[0] & 0xf0, 0x10, name);
    assertEquals(encoder.encode([[name, "secret"]]), first);
  }
  assertEquals(encoder.tableSize, 0);
});

Deno.test("long cookies are literals that are not marked", () => {
  const encoder = new HpackEncoder();
  const long = encoder.encode([[
    "cookie",
    "session=".padEnd(60, "0123456789"),
  ]]);
  assertEquals(long[0] & 0xf0, 0x00);
  assertEquals(encoder.tableSize, 0);
});

Deno.test("a table that is too small holds nothing, and blocks stay right", () => {
  for (const size of [0, 1, 31, 32]) {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(size);
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(size);
    for (let i = 0; i < 3; i++) {
      assertEquals(decoder.decode(encoder.encode(RESPONSE)).fields, [
        ...RESPONSE,
      ]);
      assertEquals(encoder.tableSize, 0);
    }
  }
});

Deno.test("a lower setting is announced once, by the next block", () => {
  const encoder = new HpackEncoder();
  encoder.setMaxTableSize(0);
  assertEquals(encode(encoder, [":status", "200"]), "2088");
  assertEquals(encode(encoder, [":status", "200"]), "88");
});

Deno.test("of several settings, the smallest and the last are announced", () => {
  const encoder = new HpackEncoder();
  encoder.encode(RESPONSE);
  for (const size of [100, 10, 20, 4096]) encoder.setMaxTableSize(size);
  assertEquals(encode(encoder, [":status", "200"]), "2a3fe11f88");
  assertEquals(encoder.tableSize, 0);
  for (const size of [3000, 30]) encoder.setMaxTableSize(size);
  assertEquals(encode(encoder), "3e");
});

Deno.test("a setting that changes nothing is not announced", () => {
  const encoder = new HpackEncoder();
  for (const size of [4096, 65_536, 4096]) encoder.setMaxTableSize(size);
  assertEquals(encode(encoder, [":status", "200"]), "88");
});

Deno.test("the table never exceeds what the encoder may use", () => {
  const encoder = new HpackEncoder({ maxTableSize: 200 });
  encoder.setMaxTableSize(65_536);
  assertEquals(encode(encoder), "3fa901");
  for (let i = 0; i < 1000; i++) encoder.encode([["name", `value ${i}`]]);
  assert(encoder.tableSize <= 200);
  const larger = new HpackEncoder({ maxTableSize: 8192 });
  larger.setMaxTableSize(65_536);
  assertEquals(encode(larger), "3fe13f");
});

Deno.test("after a field that cannot be encoded, the next block is right", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  decoder.decode(encoder.encode(RESPONSE));
  for (const bad of [["a", "\u010a"], ["\u010a", "a"]] as const) {
    assertThrows(() => encoder.encode([["x-new", "1"], bad]), TypeError);
    for (let i = 0; i < 2; i++) {
      const fields: Field[] = [...RESPONSE, ["x-new", "1"]];
      assertEquals(decoder.decode(encoder.encode(fields)).fields, fields);
      assertEquals(decoder.tableSize, encoder.tableSize);
    }
  }
});

Deno.test("the recovery from a field that cannot be encoded keeps to the setting", () => {
  const encoder = new HpackEncoder();
  encoder.setMaxTableSize(0);
  assertThrows(() => encoder.encode([["a", "\u010a"]]), TypeError);
  assertEquals(encode(encoder, [":status", "200"]), "2088");
});

Deno.test("the bytes of a block stay as they are", () => {
  const encoder = new HpackEncoder();
  const first = encoder.encode(RESPONSE);
  const copy = first.slice();
  new HpackEncoder().encode([["other", "fields"]]);
  assertEquals(first, copy);
});

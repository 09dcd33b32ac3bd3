// Sections and instructions as RFC 9204 shows them, what a connection without a
// dynamic table refuses, and bytes that are anything.

import { assert, assertEquals } from "@std/assert";
import { QpackDecoder } from "../../../src/http3/qpack/decoder.ts";
import { encodeSection } from "../../../src/http3/qpack/encoder.ts";
import { bytes, Random } from "../../_feeding.ts";
import { decodeHex, hex, NO_LIMITS, outcome } from "./_sections.ts";

const FAILED = "QPACK_DECOMPRESSION_FAILED";
const STREAM_ERROR = "QPACK_ENCODER_STREAM_ERROR";

function decoderWith(maxTableCapacity: number): QpackDecoder {
  return new QpackDecoder({ ...NO_LIMITS, maxTableCapacity });
}

Deno.test("the examples of RFC 9204, appendix B, are decoded", () => {
  const decoder = decoderWith(220);
  assertEquals(decodeHex("0000 510b 2f69 6e64 6578 2e68 746d 6c", decoder), [
    [":path", "/index.html"],
  ]);
  assertEquals(decodeHex("0381 10 11", decoder), undefined, "blocked");
  decoder.receive(hex("3fbd01 c00f7777772e6578616d706c652e636f6d"));
  decoder.receive(hex("c10c2f73616d706c652f70617468"));
  assertEquals([decoder.insertCount, decoder.tableSize], [2, 106]);
  assertEquals(decodeHex("0381 10 11", decoder), [
    [":authority", "www.example.com"],
    [":path", "/sample/path"],
  ]);
  decoder.receive(hex("4a637573746f6d2d6b65790c637573746f6d2d76616c7565"));
  assertEquals(decoder.tableSize, 160);
  decoder.receive(hex("02"));
  assertEquals(decoder.tableSize, 217);
  assertEquals(decodeHex("0500 80 c1 81", decoder), [
    [":authority", "www.example.com"],
    [":path", "/"],
    ["custom-key", "custom-value"],
  ]);
  decoder.receive(hex("810d637573746f6d2d76616c756532"));
  assertEquals([decoder.insertCount, decoder.tableSize], [5, 215]);
});

Deno.test("instructions may come byte by byte", () => {
  const decoder = decoderWith(220);
  for (const byte of hex("3fbd01 c00f7777772e6578616d706c652e636f6d")) {
    decoder.receive(Uint8Array.of(byte));
  }
  assertEquals(decodeHex("0280 10", decoder), [
    [":authority", "www.example.com"],
  ]);
});

Deno.test("without a dynamic table, sections can't refer to one", () => {
  const refused = [
    "0100", // An insert is required.
    "0080", // A base before the first entry.
    "0000 80", // Indexed, dynamic.
    "0000 10", // Indexed after the base.
    "0000 40 00", // A name of the dynamic table.
    "0000 00 00", // A name after the base.
    "0000 ff24", // No such static entry: 99.
    "0000 5f54 00", // The same, as a name.
    "", // No prefix.
    "00",
    "0000 5f",
    "0000 50",
    "0000 50 02 61",
    "0000 21 61", // No value.
    "0000 50 81 00", // Broken Huffman code.
  ];
  for (const section of refused) {
    assertEquals(outcome(() => decodeHex(section)), FAILED, section);
  }
  assertEquals(decodeHex("0000 ff23"), [["x-frame-options", "sameorigin"]]);
});

Deno.test("a section refers to no entry but those that it requires", () => {
  const decoder = decoderWith(220);
  decoder.receive(hex("3fbd01 c00161 c10162"));
  assertEquals(decodeHex("0300 80 81", decoder), [
    [":path", "b"],
    [":authority", "a"],
  ]);
  for (const section of ["0201 80", "0200 10", "0300 82", "0200 00 00"]) {
    const decoded = outcome(() => decodeHex(section, decoder));
    assertEquals(decoded, FAILED, section);
  }
});

Deno.test("without a dynamic table, the capacity is 0, and nothing is added", () => {
  new QpackDecoder().receive(hex("20 20"));
  for (const instruction of ["21", "c0 00", "40 00", "00", "3fe11f"]) {
    const decoder = new QpackDecoder();
    const received = outcome(() => decoder.receive(hex(instruction)));
    assertEquals(received, STREAM_ERROR, instruction);
  }
});

Deno.test("an instruction that is too long is an error before it is whole", () => {
  const decoder = decoderWith(64);
  decoder.receive(hex("3f21"));
  decoder.receive(hex("c0 7f ff ff 7f"));
  let received = 0;
  const piece = new Uint8Array(16);
  const error = outcome(() => {
    for (; received < 1000; received += piece.length) decoder.receive(piece);
  });
  assertEquals(error, STREAM_ERROR);
  assert(received < 300, `${received}`);
});

Deno.test("past a limit no more fields are kept", () => {
  const section = encodeSection([["a", "1"], ["b", "2"], ["c", "3"]]);
  const few = new QpackDecoder({ maxFields: 2 }).decode(section)!;
  assertEquals([few.fields.length, few.tooLarge, few.count], [2, true, 3]);
  const small = new QpackDecoder({ maxListSize: 68 }).decode(section)!;
  assertEquals([small.fields.length, small.tooLarge, small.size], [
    2,
    true,
    102,
  ]);
});

Deno.test("any bytes give fields, or the one error", () => {
  const random = new Random(7);
  for (let i = 0; i < 20_000; i++) {
    const decoder = decoderWith(random.pick([0, 100, 4096]));
    const instructions = bytes(random.bytes(40));
    const section = bytes(
      `${random.pick(["\0\0", "\x02\0", ""])}${random.bytes(40)}`,
    );
    outcome(() => decoder.receive(instructions));
    outcome(() => decoder.decode(section));
    assert(decoder.tableSize <= 4096);
  }
});

// Instructions of both streams, whole and in pieces.

import { assertEquals } from "@std/assert";
import {
  type DecoderInstruction,
  type EncoderInstruction,
  InstructionReader,
  readDecoderInstruction,
  readEncoderInstruction,
} from "../../../src/http3/qpack/instructions.ts";
import { hex } from "./_sections.ts";

const WIRE = "3fe11f c1 0161 41 62 0163 02 81 00";
const READ: EncoderInstruction[] = [
  { type: "capacity", capacity: 4096 },
  {
    type: "insert with name reference",
    isStatic: true,
    index: 1,
    value: "a",
  },
  { type: "insert with literal name", name: "b", value: "c" },
  { type: "duplicate", index: 2 },
  {
    type: "insert with name reference",
    isStatic: false,
    index: 1,
    value: "",
  },
];

Deno.test("instructions of an encoder are read, split anywhere", () => {
  const wire = hex(WIRE);
  for (let at = 0; at <= wire.length; at++) {
    const read: EncoderInstruction[] = [];
    const reader = new InstructionReader(readEncoderInstruction, 100);
    for (const piece of [wire.subarray(0, at), wire.subarray(at)]) {
      assertEquals(reader.push(piece, (one) => read.push(one)), true);
    }
    assertEquals(read, READ, `split at ${at}`);
  }
});

Deno.test("instructions of a decoder are read", () => {
  const read: DecoderInstruction[] = [];
  const reader = new InstructionReader(readDecoderInstruction, 16);
  const wire = hex("84 48 01 ffff07 7fffffffffffff07");
  for (const byte of wire) {
    reader.push(Uint8Array.of(byte), (one) => read.push(one));
  }
  assertEquals(read, [
    { type: "section acknowledgment", streamId: 4 },
    { type: "stream cancellation", streamId: 8 },
    { type: "insert count increment", increment: 1 },
    { type: "section acknowledgment", streamId: 127 + 0x3ff },
    {
      type: "stream cancellation",
      streamId: 2 ** 45 + 62,
    },
  ]);
});

Deno.test("numbers that are too large are broken", () => {
  const encoder = new InstructionReader(readEncoderInstruction, 100);
  assertEquals(encoder.push(hex("3fffffffffffff"), () => {}), false);
  const decoder = new InstructionReader(readDecoderInstruction, 100);
  assertEquals(decoder.push(hex("ffffffffffffffffffff"), () => {}), false);
});

// Frames are cut out of bytes, however those come, and what is not wanted is not
// kept.

import { assert, assertEquals } from "@std/assert";
import {
  encodeFrame,
  type FramePart,
  FrameReader,
  type FrameUse,
  RESERVED_FRAME,
} from "../../src/http3/frames.ts";
import { bytes, Random, text } from "../_feeding.ts";
import { concat, frame } from "./_frames.ts";

/** How frames are read here: by their types. */
const USES: Record<number, FrameUse> = { 0: "pieces", 1: "whole" };

function choose(type: number): FrameUse {
  return USES[type] ?? "skip";
}

/** All payloads; pieces of one are joined. */
function read(chunks: readonly Uint8Array[]): [number, string][] {
  const reader = new FrameReader(choose);
  const frames: [number, string][] = [];
  let open = false;
  for (const chunk of chunks) {
    reader.push(chunk.slice());
    for (;;) {
      const part: FramePart | undefined = reader.next();
      if (part === undefined) break;
      const content = text(part.bytes);
      if (open) frames.at(-1)![1] += content;
      else frames.push([part.type, content]);
      open = part.type === 0 && content.length > 0 &&
        frames.at(-1)![1].length < 3;
    }
  }
  assertEquals(reader.midway, false);
  return frames;
}

const WIRE = concat(
  frame(0x21, bytes("skipped")),
  frame(1, bytes("head")),
  frame(0, bytes("abc")),
  RESERVED_FRAME,
  frame(0, bytes("")),
  frame(1, bytes("x".repeat(600))),
  frame(0x3fff_ffff, bytes("y")),
);
const FRAMES: [number, string][] = [
  [1, "head"],
  [0, "abc"],
  [0, ""],
  [1, "x".repeat(600)],
];

Deno.test("Frames are read whole, byte by byte, and split anywhere", () => {
  assertEquals(read([WIRE]), FRAMES);
  assertEquals(read([...WIRE].map((byte) => Uint8Array.of(byte))), FRAMES);
  for (let at = 1; at < WIRE.length; at++) {
    const chunks = [WIRE.subarray(0, at), WIRE.subarray(at)];
    assertEquals(read(chunks), FRAMES, `split at ${at}`);
  }
});

Deno.test("A payload comes in pieces as it arrives", () => {
  const reader = new FrameReader(choose);
  reader.push(frame(0, bytes("abc")).subarray(0, 3));
  assertEquals(reader.next(), { type: 0, bytes: bytes("a") });
  assertEquals(reader.next(), undefined);
  assert(reader.midway);
  reader.push(bytes("bc"));
  assertEquals(reader.next(), { type: 0, bytes: bytes("bc") });
  assert(!reader.midway);
});

Deno.test("The head of a frame is checked before its payload comes", () => {
  const heads: [number, number][] = [];
  const reader = new FrameReader((type, length) => {
    heads.push([type, length]);
    return "whole";
  });
  const [first, ...rest] = frame(1, new Uint8Array(100));
  reader.push(Uint8Array.of(first));
  reader.next();
  assertEquals(heads, []);
  reader.push(Uint8Array.from(rest.slice(0, 2)));
  assertEquals(reader.next(), undefined);
  assertEquals(heads, [[1, 100]]);
});

Deno.test("Lengths that no number can hold are Infinity", () => {
  let seen = 0;
  const reader = new FrameReader((_, length) => {
    seen = length;
    return "skip";
  });
  reader.push(Uint8Array.fromHex("21ffffffffffffffff"));
  assertEquals(reader.next(), undefined);
  reader.push(new Uint8Array(1000));
  assertEquals(reader.next(), undefined);
  assertEquals([seen, reader.midway], [Infinity, true]);
});

Deno.test("Any bytes are frames, in one way", () => {
  const random = new Random(3);
  for (let i = 0; i < 2000; i++) {
    const wire = bytes(random.bytes(60));
    const at = random.below(wire.length + 1);
    const collect = (chunks: Uint8Array[]) => {
      const reader = new FrameReader(choose);
      let seen = "";
      for (const chunk of chunks) {
        reader.push(chunk);
        for (let part; (part = reader.next()) !== undefined;) {
          seen += text(part.bytes);
        }
      }
      return seen;
    };
    const halves = [wire.subarray(0, at), wire.subarray(at)];
    assertEquals(collect(halves), collect([wire]));
  }
});

Deno.test("A frame is written with its type and its length", () => {
  assertEquals(encodeFrame("GOAWAY", Uint8Array.of(4)), Uint8Array.of(7, 1, 4));
});

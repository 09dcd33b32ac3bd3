// Frames of the server: they have the form of RFC 6455, section 5.2.

import { assert, assertEquals } from "@std/assert";
import {
  encodeChunks,
  encodeFrame,
  encodeLongFrame,
  encodeTextFrame,
  type FrameHeader,
} from "../../src/websocket/frame_encoder.ts";
import {
  BINARY,
  concat,
  CONTINUATION,
  hex,
  PING,
  serverFrames,
  TEXT,
  utf8,
} from "./_frames.ts";
import { Random } from "./_random.ts";

Deno.test("encodeFrame() writes the shortest length, and no mask", () => {
  assertEquals(encodeFrame(TEXT, utf8("Hello")), hex("81 05 48 65 6c 6c 6f"));
  assertEquals(encodeFrame(PING, utf8("")), hex("89 00"));
  const headers: [number, string][] = [
    [125, "82 7d"],
    [126, "82 7e 00 7e"],
    [65535, "82 7e ff ff"],
    [65536, "82 7f 00 00 00 00 00 01 00 00"],
  ];
  for (const [length, header] of headers) {
    const content = new Random(length).bytes(length);
    const frame = encodeFrame(BINARY, content);
    assertEquals(frame, concat([hex(header), content]), `${length}`);
  }
});

Deno.test("encodeTextFrame() writes texts of any length", () => {
  const random = new Random(5);
  for (const length of [0, 1, 41, 42, 125, 4095, 4096, 4097, 50000]) {
    for (const text of [random.text(length), "€".repeat(length)]) {
      const [frame, ...others] = serverFrames(encodeTextFrame(text));
      assertEquals([frame.opcode, frame.fin, frame.rsv], [TEXT, true, 0]);
      assertEquals(frame.payload, utf8(text));
      assertEquals(others, []);
    }
  }
});

Deno.test("encodeTextFrame() replaces what is no character", () => {
  const [frame] = serverFrames(encodeTextFrame("a\ud800b"));
  assertEquals(frame.payload, utf8("a\ufffdb"));
});

Deno.test("encodeLongFrame() makes the same frame, piece by piece", () => {
  const random = new Random(3);
  const longText = random.text(70_000);
  for (
    const data of [random.bytes(200_000), longText, `a${longText}`, "x\ud83d"]
  ) {
    const frame = encodeLongFrame(data);
    const pieces = [...frame.pieces()];
    assert(pieces.every(({ length }) => length < 100_000));
    const whole = typeof data === "string"
      ? encodeTextFrame(data)
      : encodeFrame(BINARY, data);
    assertEquals(concat(pieces), whole);
    assertEquals(frame.length, whole.length);
  }
});

Deno.test("encodeChunks() joins chunks up to the length", () => {
  const chunks = [hex("01 02"), hex("03 04 00"), hex("00 ff"), hex("ff")];
  const text = { opcode: TEXT, compressed: true };
  assertEquals(encodeChunks(text, chunks, 4), hex("c1 04 01020304"));
  const binary = { opcode: BINARY, compressed: true };
  assertEquals(encodeChunks(binary, chunks, 5), hex("c2 05 0102030400"));
});

Deno.test("encodeChunks() marks where a message begins and ends", () => {
  const headers: [FrameHeader, string][] = [
    [{ opcode: TEXT, fin: false, compressed: true }, "41 01 01"],
    [{ opcode: CONTINUATION, fin: false }, "00 01 01"],
    [{ opcode: CONTINUATION, fin: true }, "80 01 01"],
  ];
  for (const [header, bytes] of headers) {
    assertEquals(encodeChunks(header, [hex("01")], 1), hex(bytes));
  }
});

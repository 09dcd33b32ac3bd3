// UTF-8 in pieces: what is valid, what is not, and that it fails at the first
// byte that no valid text can have there.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeText, Utf8Validator } from "../../src/websocket/utf8.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { hex, utf8 } from "./_frames.ts";
import { deliveries, Random } from "./_random.ts";

const VALID = [
  "",
  "Hello",
  "Hello-µ@ßöäüàá-UTF-8!!",
  "κόσμε",
  "\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff",
  "\u{10000}\u{10ffff}",
  "\ufeffwith a byte order mark",
];

/** Bytes, and how many of them the first text could start with. */
const INVALID: [bytes: string, validPrefix: number][] = [
  ["80", 0],
  ["bf", 0],
  ["61 80", 1],
  ["c0 80", 0],
  ["c1 bf", 0],
  ["c2 41", 1],
  ["df c0", 1],
  ["e0 80 80", 1],
  ["e0 9f bf", 1],
  ["e0 a0 41", 2],
  ["ed a0 80", 1],
  ["ed bf bf", 1],
  ["ee 80 00", 2],
  ["f0 80 80 80", 1],
  ["f0 8f bf bf", 1],
  ["f0 90 80 c0", 3],
  ["f4 90 80 80", 1],
  ["f5 80 80 80", 0],
  ["f8 88 80 80 80", 0],
  ["fe", 0],
  ["ff", 0],
  ["ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65", 12],
  ["ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65", 12],
];

const CUT_SHORT = [
  "c2",
  "df",
  "e0",
  "e0 a0",
  "ed 9f",
  "f0",
  "f0 90",
  "f4 8f bf",
];

/** How many pieces are taken before one fails. */
function accepted(chunks: readonly Uint8Array[]): number {
  const validator = new Utf8Validator();
  const failed = chunks.findIndex((chunk) => !validator.push(chunk));
  return failed === -1 ? chunks.length : failed;
}

Deno.test("Utf8Validator takes valid text, however it is cut", () => {
  for (const text of VALID) {
    for (const { name, chunks } of deliveries(utf8(text))) {
      const validator = new Utf8Validator();
      assert(chunks.every((chunk) => validator.push(chunk)), `${text} ${name}`);
      assert(validator.complete, `${text} ${name}`);
    }
  }
});

Deno.test("Utf8Validator fails at the first bad byte", () => {
  for (const [sample, validPrefix] of INVALID) {
    const bytes = Array.from(hex(sample), (byte) => new Uint8Array([byte]));
    assertEquals(accepted(bytes), validPrefix, sample);
    assertEquals(accepted([hex(sample)]), 0, sample);
  }
});

Deno.test("Utf8Validator is not complete within a character", () => {
  for (const sample of CUT_SHORT) {
    const validator = new Utf8Validator();
    assert(validator.push(hex(sample)), sample);
    assert(!validator.complete, sample);
  }
});

Deno.test("Utf8Validator agrees with TextDecoder on any two bytes after any lead", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const edges = [0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (let lead = 0x80; lead < 0x100; lead++) {
    for (const second of edges) {
      for (const third of edges) {
        const bytes = new Uint8Array([lead, second, third, 0x80]);
        const validator = new Utf8Validator();
        const valid = validator.push(bytes) && validator.complete;
        assertEquals(valid, decodes(decoder, bytes), `${bytes}`);
      }
    }
  }
});

Deno.test("Utf8Validator agrees with TextDecoder on random damage", () => {
  const random = new Random(4);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let i = 0; i < 2000; i++) {
    const bytes = utf8(random.text(random.integer(1, 30)));
    if (random.chance(0.7)) {
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    }
    const chunks = random.cut(bytes, random.integer(1, 4));
    const validator = new Utf8Validator();
    const valid = chunks.every((chunk) => validator.push(chunk)) &&
      validator.complete;
    assertEquals(valid, decodes(decoder, bytes), `${bytes}`);
  }
});

Deno.test("decodeText() keeps a byte order mark", () => {
  for (const text of VALID) assertEquals(decodeText(utf8(text)), text);
});

Deno.test("decodeText() refuses what is not UTF-8, with 1007", () => {
  for (const sample of [...INVALID.map(([bytes]) => bytes), ...CUT_SHORT]) {
    const error = assertThrows(
      () => decodeText(hex(sample)),
      WebSocketError,
      "invalid UTF-8",
    );
    assertEquals(error.code, 1007);
  }
});

function decodes(decoder: TextDecoder, bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

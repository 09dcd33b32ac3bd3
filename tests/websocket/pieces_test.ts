// Long messages, piece by piece: together the pieces are the message, and none
// ends within a character.

import { assert, assertEquals } from "@std/assert";
import {
  byteLength,
  bytesOf,
  type Data,
  isLong,
  isText,
  piecesOf,
} from "../../src/websocket/pieces.ts";
import { concat, utf8 } from "./_frames.ts";
import { Random } from "./_random.ts";

const random = new Random(21);
const MESSAGES: Data[] = [
  "a",
  "x".repeat(32 * 1024),
  "x".repeat(32 * 1024 + 1),
  `${"x".repeat(32 * 1024 - 1)}😀 and more`,
  random.text(100_000),
  new Uint8Array([1]),
  random.bytes(64 * 1024),
  random.bytes(200_000),
];

Deno.test("piecesOf() gives the bytes of a message, none of them twice", () => {
  for (const data of MESSAGES) {
    const pieces = [...piecesOf(data)];
    assertEquals(concat(pieces.map(({ bytes }) => bytes)), bytesOf(data));
    assertEquals(byteLength(data), bytesOf(data).length);
    assertEquals(pieces.length > 1, isLong(data));
  }
});

Deno.test("The first piece and the last are marked", () => {
  for (const data of MESSAGES) {
    const pieces = [...piecesOf(data)];
    const last = pieces.length - 1;
    pieces.forEach((piece, index) => {
      assertEquals([piece.first, piece.last], [index === 0, index === last]);
    });
  }
});

Deno.test("No piece is long, and each of a text is UTF-8 by itself", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (const data of MESSAGES) {
    for (const { bytes } of piecesOf(data)) {
      assert(bytes.length <= 3 * 32 * 1024);
      if (isText(data)) decoder.decode(bytes);
    }
  }
});

Deno.test("bytesOf() gives bytes as they are, and text as UTF-8", () => {
  const bytes = new Uint8Array([1, 2]);
  assert(bytesOf(bytes) === bytes);
  assertEquals(bytesOf("é"), utf8("é"));
});

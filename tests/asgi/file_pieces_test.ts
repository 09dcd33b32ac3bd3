// Files that are read piece by piece.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import { readFilePieces } from "../../src/asgi/file_pieces.ts";
import { FakeFile } from "./_fake_wire.ts";

const LARGE = "0123456789abcdef".repeat(20_000);

Deno.test("readFilePieces() reads no byte beyond its count", async () => {
  const file = new FakeFile(LARGE);
  let length = 0;
  for await (const piece of readFilePieces(file, 100_000)) {
    length += piece.length;
  }
  assertEquals(length, 100_000);
  const next = new Uint8Array(1);
  await file.read(next);
  assertEquals(next[0], LARGE.charCodeAt(100_000));
});

Deno.test("readFilePieces() gives pieces of at most 64 KiB", async () => {
  for await (const piece of readFilePieces(new FakeFile(LARGE))) {
    assert(piece.length > 0 && piece.length <= 64 * 1024);
  }
});

Deno.test("A read is held to what it was to fill", async () => {
  const file = {
    read: (target: Uint8Array) => Promise.resolve(target.length + 1),
    seek: () => Promise.resolve(0),
  };
  const pieces = readFilePieces(file, 5);
  await assertRejects(() => pieces.next(), InvalidEventError, "0 to 5");
});

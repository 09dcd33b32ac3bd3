import { assert, assertEquals } from "@std/assert";
import { ContentBuffer } from "../../src/http2/content_buffer.ts";
import { Random } from "../websocket/_random.ts";

Deno.test("What is taken is what was added, in any pieces", () => {
  const random = new Random(5);
  for (let round = 0; round < 200; round++) {
    const buffer = new ContentBuffer();
    const added: number[] = [];
    const taken: number[] = [];
    for (let i = 0; i < 30; i++) {
      const bytes = random.bytes(random.pick([0, 1, 10, 300, 8192, 16_384]));
      buffer.add(bytes, random.pick([bytes.length, 20_000, Infinity]));
      added.push(...bytes);
      bytes.fill(0);
      for (let takes = random.integer(0, 3); takes > 0; takes--) {
        taken.push(...buffer.take(random.pick([1, 100, 65_536])) ?? []);
      }
      assertEquals(buffer.length, added.length - taken.length);
    }
    for (let rest; (rest = buffer.take(65_536)) !== undefined;) {
      taken.push(...rest);
    }
    assertEquals(taken.length, added.length);
    assert(taken.every((byte, i) => byte === added[i]));
  }
});

Deno.test("What was taken does not change when more comes", () => {
  const buffer = new ContentBuffer();
  buffer.add(new Uint8Array(8192).fill(1), Infinity);
  const first = buffer.take(65_536)!;
  buffer.add(new Uint8Array(8192).fill(2), Infinity);
  assert(first.every((byte) => byte === 1));
  assert(buffer.take(65_536)!.every((byte) => byte === 2));
});

Deno.test("Tiny pieces that join others cost little more than their bytes", () => {
  const buffer = new ContentBuffer();
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100_000; i++) buffer.add(new Uint8Array(1), Infinity);
  for (let chunk; (chunk = buffer.take(65_536)) !== undefined;) {
    memory.add(chunk.buffer);
  }
  const bytes = [...memory].reduce((sum, one) => sum + one.byteLength, 0);
  assert(memory.size < 30 && bytes < 250_000, `${memory.size}, ${bytes}`);
});

Deno.test("Small content that was taken holds no memory", () => {
  const buffer = new ContentBuffer();
  buffer.add(new Uint8Array(100), Infinity);
  assertEquals(buffer.take(65_536)!.buffer.byteLength, 100);
});

Deno.test("What is taken has memory of its own, which may be handed on", () => {
  for (const size of [10, 1000, 8192, 16_384]) {
    for (const joined of [1, 2, 3, 5, 50]) {
      const buffer = new ContentBuffer();
      let expected = 0;
      let taken = 0;
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < joined; i++) {
          buffer.add(new Uint8Array(size).fill(1), Infinity);
          expected += size;
        }
        const chunk = buffer.take(65_536)!;
        taken += chunk.length;
        assertEquals(chunk.buffer.byteLength, chunk.length);
        assertEquals(structuredClone(chunk).length, chunk.length);
        structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
      }
      for (let chunk; (chunk = buffer.take(65_536)) !== undefined;) {
        assert(chunk.every((byte) => byte === 1));
        taken += chunk.length;
      }
      assertEquals(taken, expected);
    }
  }
});

// Masking at every alignment and offset, against the definition of RFC 6455.

import { assertEquals } from "@std/assert";
import { mask } from "../../src/websocket/mask.ts";
import { Random } from "./_random.ts";

const KEY = [0x81, 0x02, 0xf3, 0x44];
const KEY_NUMBER = 0x8102f344 | 0;

/** Masking as section 5.3 defines it. */
function masked(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.map((byte, at) => byte ^ KEY[(at + offset) % 4]);
}

Deno.test("mask() does what the RFC says, at every alignment and length", () => {
  const random = new Random(1);
  for (let length = 0; length < 100; length++) {
    for (let start = 0; start < 4; start++) {
      const memory = random.bytes(length + 8);
      const bytes = memory.subarray(start, start + length);
      const expected = masked(bytes.slice(), 0);
      const around = [memory.slice(0, start), memory.slice(start + length)];
      mask(bytes, KEY_NUMBER);
      assertEquals(bytes, expected, `${length} bytes at ${start}`);
      assertEquals(
        [memory.slice(0, start), memory.slice(start + length)],
        around,
      );
    }
  }
});

Deno.test("mask() goes on at any offset of the payload", () => {
  const bytes = new Random(2).bytes(200);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const whole = bytes.slice();
    mask(whole.subarray(0, cut), KEY_NUMBER);
    mask(whole.subarray(cut), KEY_NUMBER, cut);
    assertEquals(whole, masked(bytes, 0), `cut at ${cut}`);
  }
});

Deno.test("mask() undoes itself", () => {
  const bytes = new Random(3).bytes(5000);
  const twice = bytes.slice();
  mask(twice, KEY_NUMBER);
  mask(twice, KEY_NUMBER);
  assertEquals(twice, bytes);
});

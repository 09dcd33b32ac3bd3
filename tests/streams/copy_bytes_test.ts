// A copy of bytes shares no memory with them, whatever kind of bytes they are.

import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { copyBytes } from "../../src/streams/copy_bytes.ts";

Deno.test("copyBytes() shares no memory, not with a Buffer of Node either", () => {
  for (const bytes of [new Uint8Array([1, 2]), Buffer.from([1, 2])]) {
    const copy = copyBytes(bytes);
    bytes.fill(9);
    assertEquals(copy, new Uint8Array([1, 2]));
  }
});

Deno.test("copyBytes() takes bytes that were transferred for none", () => {
  const bytes = new Uint8Array([1, 2]);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  assertEquals(copyBytes(bytes), new Uint8Array());
});

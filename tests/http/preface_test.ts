// The preface is recognized byte by byte, and no byte of HTTP/1 is taken for it.

import { assertEquals } from "@std/assert";
import { comparePreface, PREFACE_BYTES } from "../../src/http/preface.ts";
import { concat, PREFACE } from "../http2/_frames.ts";

Deno.test("comparePreface() takes what belongs to the preface, and no more", () => {
  const bytes = concat([Uint8Array.of(1), PREFACE, Uint8Array.of(2)]);
  assertEquals(comparePreface(bytes, 1, 0), PREFACE_BYTES);
  for (let at = 0; at <= PREFACE_BYTES; at++) {
    assertEquals(comparePreface(PREFACE.subarray(0, at), 0, 0), at);
    assertEquals(comparePreface(PREFACE, at, at), PREFACE_BYTES - at);
  }
});

Deno.test("comparePreface() sees the first byte that differs", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "PRI * HTTP/1.1"]) {
    const bytes = new TextEncoder().encode(`${method} `);
    assertEquals(comparePreface(bytes, 0, 0), undefined);
  }
});

// Which codes may be on the wire, and how a Close frame's payload is read and
// written. The table is that of RFC 6455, section 7.4, and of IANA's registry.

import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeClose,
  encodeClose,
  isCloseCode,
} from "../../src/websocket/close_codes.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { concat, hex, utf8 } from "./_frames.ts";

const VALID = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3999, 4000, 4999],
];
const INVALID = [
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999],
  ...[5000, 65535],
];

/** The payload of a Close frame. */
function payload(code: number, reason: Uint8Array = utf8("")): Uint8Array {
  return concat([new Uint8Array([code >> 8, code & 255]), reason]);
}

Deno.test("isCloseCode() knows the codes that may be sent", () => {
  assertEquals(VALID.filter((code) => !isCloseCode(code)), []);
  const others = [...INVALID, -1, 1000.5, NaN, Infinity, 70000];
  assertEquals(others.filter(isCloseCode), []);
});

Deno.test("decodeClose() reads code and reason", () => {
  for (const code of VALID) {
    assertEquals(decodeClose(payload(code, utf8("Grüße"))), {
      code,
      reason: "Grüße",
    });
  }
  assertEquals(decodeClose(payload(1000)), { code: 1000, reason: "" });
});

Deno.test("decodeClose() gives 1005 for an empty payload", () => {
  assertEquals(decodeClose(hex("")), { code: 1005, reason: "" });
});

Deno.test("decodeClose() refuses codes that must not be sent", () => {
  for (const code of INVALID) {
    const error = assertThrows(
      () => decodeClose(payload(code)),
      WebSocketError,
      "invalid code",
    );
    assertEquals(error.code, 1002, `${code}`);
  }
});

Deno.test("decodeClose() refuses half a code", () => {
  for (let byte = 0; byte < 256; byte++) {
    const payload = new Uint8Array([byte]);
    const error = assertThrows(() => decodeClose(payload), WebSocketError);
    assertEquals(error.code, 1002, `${byte}`);
  }
});

Deno.test("decodeClose() refuses a reason that is not UTF-8", () => {
  for (const reason of ["ff", "c3", "ed a0 80", "ce ba e1 bd"]) {
    const error = assertThrows(
      () => decodeClose(payload(1000, hex(reason))),
      WebSocketError,
      "invalid UTF-8",
    );
    assertEquals(error.code, 1007, reason);
  }
});

Deno.test("encodeClose() writes what decodeClose() reads", () => {
  for (const code of VALID) {
    const status = { code, reason: "\ufeffé".repeat(20) };
    assertEquals(decodeClose(encodeClose(code, status.reason)), status);
  }
  assertEquals(encodeClose(1005), hex(""));
  assertEquals(encodeClose(1000), hex("03e8"));
});

Deno.test("encodeClose() refuses codes that must not be sent", () => {
  for (const code of INVALID.filter((code) => code !== 1005)) {
    assertThrows(() => encodeClose(code), RangeError, `${code} is no code`);
  }
  assertThrows(() => encodeClose(1005, "Why"), RangeError, "1005");
});

Deno.test("encodeClose() takes reasons of up to 123 bytes", () => {
  assertEquals(encodeClose(1000, "é".repeat(61) + "a").length, 125);
  assertThrows(() => encodeClose(1000, "é".repeat(62)), RangeError, "124");
});

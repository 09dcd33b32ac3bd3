import { assertEquals } from "@std/assert";
import { encodeSettings, readSettings } from "../../src/http3/settings.ts";
import { encodeVarints } from "../../src/http3/varint.ts";
import { assertHttp3Error } from "./_errors.ts";

function read(...values: number[]): number {
  return readSettings(encodeVarints(...values)).maxFieldSectionSize;
}

Deno.test("The largest field section is read, and others are ignored", () => {
  assertEquals(read(), Infinity);
  assertEquals(read(0x06, 100), 100);
  assertEquals(read(0x01, 65536, 0x21, 0, 0x07, 100, 0x06, 5), 5);
  assertEquals(read(0x08, 1, 0x33, 0), Infinity);
});

Deno.test("What is repeated, of HTTP/2, or out of range is an error", () => {
  const refused = [
    [0x06, 1, 0x06, 1],
    [0x21, 1, 0x21, 1],
    [0x00, 0],
    [0x02, 0],
    [0x03, 100],
    [0x04, 65535],
    [0x05, 16384],
    [0x08, 2],
    [0x33, 2],
  ];
  for (const values of refused) {
    assertHttp3Error(() => read(...values), "H3_SETTINGS_ERROR", `${values}`);
  }
});

Deno.test("What is cut is an error", () => {
  for (const hex of ["06", "0640", "06018000"]) {
    const payload = Uint8Array.fromHex(hex);
    assertHttp3Error(() => readSettings(payload), "H3_FRAME_ERROR", hex);
  }
});

Deno.test("64 settings are accepted, and no more", () => {
  const pairs = Array.from({ length: 64 }, (_, i) => [0x100 + i, 0]).flat();
  read(...pairs);
  assertHttp3Error(() => read(...pairs, 0x99, 0), "H3_EXCESSIVE_LOAD");
});

Deno.test("The server says what it accepts, and offers extended CONNECT", () => {
  assertEquals(
    encodeSettings({ maxFieldSectionSize: 65536 }),
    Uint8Array.of(4, 7, 0x06, 0x80, 1, 0, 0, 0x08, 1),
  );
});

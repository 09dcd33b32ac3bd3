import { assertEquals, assertThrows } from "@std/assert";
import { encodeSection } from "../../../src/http3/qpack/encoder.ts";
import { hex } from "./_sections.ts";

Deno.test("fields of the static table are indexes", () => {
  const fields = [[":status", "200"], [":status", "500"]] as const;
  assertEquals(encodeSection(fields), hex("0000 d9 ff08"));
});

Deno.test("a name of the static table is an index, and others are literals", () => {
  assertEquals(encodeSection([["server", "~"]]), hex("0000 5f4d 01 7e"));
  assertEquals(encodeSection([["~", "|"]]), hex("0000 21 7e 01 7c"));
});

Deno.test("secrets are marked, so that nobody puts them into a table", () => {
  assertEquals(encodeSection([["cookie", "~"]]), hex("0000 75 01 7e"));
  const [, , first] = encodeSection([["proxy-authorization", "~"]]);
  assertEquals(first >> 4, 0b0011);
});

Deno.test("an empty section is its prefix", () => {
  assertEquals(encodeSection([]), hex("0000"));
});

Deno.test("what is no byte string throws, and nothing of it is sent", () => {
  assertThrows(() => encodeSection([["a", "1"], ["b", "\u0100"]]), TypeError);
  assertEquals(encodeSection([[":path", "/"]]), hex("0000 c1"));
});

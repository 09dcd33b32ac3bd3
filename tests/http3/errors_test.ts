import { assertEquals } from "@std/assert";
import { ERROR_CODES, Http3Error } from "../../src/http3/errors.ts";

Deno.test("An error has the code of its name", () => {
  const error = new Http3Error("H3_ID_ERROR", "Cannot");
  assertEquals([error.code, error.name], [0x108, "Http3Error"]);
  const codes = Object.values(ERROR_CODES);
  assertEquals(codes, codes.map((_, i) => 0x100 + i) as typeof codes);
});

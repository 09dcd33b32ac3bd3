// The error of HPACK, which carries what the connection ends with.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { HpackError } from "../../../src/http2/hpack/hpack_error.ts";

Deno.test("an HpackError carries COMPRESSION_ERROR", () => {
  const error = new HpackError("Cannot decode header block: …");
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.code], ["HpackError", 0x9]);
});

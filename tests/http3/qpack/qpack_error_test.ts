import { assertEquals } from "@std/assert";
import { QpackError } from "../../../src/http3/qpack/qpack_error.ts";

Deno.test("an error of QPACK has the code of its name", () => {
  const error = new QpackError("QPACK_DECODER_STREAM_ERROR", "Cannot");
  assertEquals([error.code, error.name], [0x202, "QpackError"]);
});

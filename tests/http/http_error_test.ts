// The error that carries a status, and how its messages quote what came from
// the wire.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { HttpError, quote } from "../../src/http/http_error.ts";

Deno.test("HttpError carries the status to answer with", () => {
  const error = new HttpError(431, "Cannot accept so many fields");
  assertInstanceOf(error, Error);
  assertEquals(error.name, "HttpError");
  assertEquals(error.status, 431);
  assertEquals(error.message, "Cannot accept so many fields");
});

Deno.test("quote() shows at most 60 characters of what it quotes", () => {
  assertEquals(quote("x".repeat(60)), `"${"x".repeat(60)}"`);
  assertEquals(quote("x".repeat(61)), `"${"x".repeat(60)}…"`);
});

Deno.test("quote() escapes quotes, backslashes and every control character", () => {
  assertEquals(quote('a"b\\c'), '"a\\"b\\\\c"');
  for (let code = 0; code < 256; code++) {
    const quoted = quote(`a${String.fromCharCode(code)}b`);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(quoted), `code ${code}: ${quoted}`);
  }
});

// What is malformed is a stream error of HTTP/2; what has a status keeps it.

import { assertEquals, assertThrows } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { readRequest, readTrailers } from "../../src/http2/request_fields.ts";
import { assertHttp2Error } from "./_errors.ts";

const FIELDS: Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "a"],
];

function read(fields: Field[], endStream = false) {
  return readRequest({ streamId: 5, fields, endStream }, DEFAULT_LIMITS);
}

Deno.test("A request is read; with END_STREAM it has no content", () => {
  assertEquals(read(FIELDS).contentLength, undefined);
  assertEquals(read(FIELDS, true).contentLength, 0);
});

Deno.test("A malformed request is PROTOCOL_ERROR of its stream", () => {
  assertHttp2Error(() => read([]), "PROTOCOL_ERROR", 5);
  const announced: Field[] = [...FIELDS, ["content-length", "1"]];
  assertHttp2Error(() => read(announced, true), "PROTOCOL_ERROR", 5);
});

Deno.test("A request that is not served keeps its status", () => {
  const fields: Field[] = [...FIELDS, ["expect", "more"]];
  assertEquals(assertThrows(() => read(fields), HttpError).status, 417);
});

Deno.test("Malformed trailers are PROTOCOL_ERROR of their stream", () => {
  const block = { streamId: 5, endStream: true };
  readTrailers({ ...block, fields: [["a", "b"]] });
  for (const fields of [[["A", "b"]], [[":path", "/"]]] as Field[][]) {
    assertHttp2Error(
      () => readTrailers({ ...block, fields }),
      "PROTOCOL_ERROR",
      5,
    );
  }
});

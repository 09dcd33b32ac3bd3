import { assertEquals, assertThrows } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import {
  composeInterim,
  composeResponse,
  composeTrailers,
} from "../../src/http/response_section.ts";

const NONE = { dateHeader: false, serverHeader: null };

function compose(
  headers: readonly Field[],
  status = 200,
): ReturnType<typeof composeResponse> {
  return composeResponse({ status, headers, defaults: NONE });
}

Deno.test("The status comes first, then the fields in their order", () => {
  const headers: Field[] = [["B", "1"], ["a", "2"], ["b", "3"]];
  assertEquals(compose(headers, 404).fields, [
    [":status", "404"],
    ["b", "1"],
    ["a", "2"],
    ["b", "3"],
  ]);
});

Deno.test("What these versions do not have is left out, and whitespace at the ends", () => {
  const headers: Field[] = [
    ["connection", "close"],
    ["keep-alive", "1"],
    ["proxy-connection", "close"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["x", " \t a b \t"],
  ];
  assertEquals(compose(headers).fields, [[":status", "200"], ["x", "a b"]]);
  assertEquals(composeTrailers([...headers, ["content-length", "1"]]), [
    ["x", "a b"],
  ]);
  assertEquals(composeInterim(103, headers), [
    [":status", "103"],
    ["x", "a b"],
  ]);
});

Deno.test("Date and Server are added where they are missing", () => {
  const defaults = { dateHeader: true, serverHeader: "s" };
  const added = composeResponse({ status: 200, headers: [], defaults });
  assertEquals(added.fields.map(([name]) => name), [
    ":status",
    "date",
    "server",
  ]);
  const own: Field[] = [["date", "d"], ["server", "o"]];
  const { fields } = composeResponse({ status: 200, headers: own, defaults });
  assertEquals(fields, [[":status", "200"], ...own]);
});

Deno.test("Alt-Svc is added where the application has not set it", () => {
  const defaults = { ...NONE, altSvc: 'h3=":443"' };
  const field = (headers: Field[]) =>
    composeResponse({ status: 200, headers, defaults }).fields.slice(1);
  assertEquals(field([]), [["alt-svc", 'h3=":443"']]);
  assertEquals(field([["Alt-Svc", "clear"]]), [["alt-svc", "clear"]]);
});

Deno.test("The declared length is one number, where content may follow", () => {
  assertEquals(compose([["content-length", "12"]]).length, 12);
  for (const status of [204, 205]) {
    const { fields, length } = compose([["content-length", "12"]], status);
    assertEquals([fields.length, length], [1, undefined]);
  }
  for (const value of ["", "x", "1, 1"]) {
    assertThrows(() => compose([["content-length", value]]), RangeError);
  }
});

Deno.test("What can't be sent throws", () => {
  assertThrows(() => compose([["a b", "1"]]), TypeError);
  assertThrows(() => compose([["a", "1\n"]]), TypeError);
  assertThrows(() => compose([], 101), RangeError);
});

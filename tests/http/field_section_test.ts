// Which fields make a message of HTTP/2 or HTTP/3 malformed.

import { assertEquals, assertThrows } from "@std/assert";
import {
  checkTrailers,
  MalformedError,
  readFieldSection,
} from "../../src/http/field_section.ts";
import type { Field } from "../../src/http/fields.ts";

const MALFORMED: [what: string, field: Field][] = [
  ["an uppercase name", ["Accept", "a"]],
  ["an empty name", ["", "a"]],
  ["a name with a space", ["a b", "a"]],
  ["a name with a colon", ["a:b", "a"]],
  ["a name with NUL", ["a\0", "a"]],
  ["a name with a byte above 0x7F", ["a\xff", "a"]],
  ["a name with DELETE", ["a\x7f", "a"]],
  ["a value with NUL", ["a", "a\0b"]],
  ["a value with CR", ["a", "a\rb"]],
  ["a value with LF", ["a", "a\nb"]],
  ["a value with another control", ["a", "a\x01b"]],
  ["a value with DELETE", ["a", "a\x7fb"]],
  ["a value after a space", ["a", " a"]],
  ["a value before a space", ["a", "a "]],
  ["a value after HTAB", ["a", "\ta"]],
  ["a value before HTAB", ["a", "a\t"]],
  ["a value of a space", ["a", " "]],
  ["Connection", ["connection", "close"]],
  ["Keep-Alive", ["keep-alive", "1"]],
  ["Proxy-Connection", ["proxy-connection", "close"]],
  ["Transfer-Encoding", ["transfer-encoding", "chunked"]],
  ["Upgrade", ["upgrade", "websocket"]],
  ["HTTP2-Settings", ["http2-settings", ""]],
  ["TE of a coding", ["te", "gzip"]],
  ["TE of a coding beside trailers", ["te", "trailers, gzip"]],
  ["TE of nothing", ["te", ""]],
];

for (const [what, field] of MALFORMED) {
  Deno.test(`A message is malformed: ${what}`, () => {
    assertThrows(() => readFieldSection([field]), MalformedError);
    assertThrows(() => checkTrailers([["a", "b"], field]), MalformedError);
  });
}

const WELL_FORMED: Field[] = [
  ["accept", "a"],
  ["!#$%&'*+-.^_`|~0a", ""],
  ["a", "a\tb c"],
  ["a", "\x80\xff"],
  ["te", "trailers"],
  ["te", "Trailers"],
];

Deno.test("Well-formed fields are given as they came", () => {
  const { pseudo, fields } = readFieldSection(WELL_FORMED);
  assertEquals([pseudo, fields], [{}, WELL_FORMED]);
  checkTrailers(WELL_FORMED);
});

Deno.test("Pseudo-fields are apart", () => {
  const section = readFieldSection([
    [":path", "/"],
    [":method", "GET"],
    ["a", "b"],
  ]);
  assertEquals(section, {
    pseudo: { ":path": "/", ":method": "GET" },
    fields: [["a", "b"]],
  });
});

const BAD_PSEUDO: [what: string, fields: Field[]][] = [
  ["unknown", [[":unknown", "a"]]],
  ["of a response", [[":status", "200"]]],
  ["of only a colon", [[":", "a"]]],
  ["in uppercase", [[":Method", "GET"]]],
  ["repeated", [[":method", "GET"], [":method", "GET"]]],
  ["empty", [[":path", ""]]],
  ["after a field", [["a", "b"], [":method", "GET"]]],
  ["with a control", [[":path", "/\n"]]],
  ["with a space at its end", [[":path", "/ "]]],
  ["named like a property of objects", [[":constructor", "a"]]],
];

for (const [what, fields] of BAD_PSEUDO) {
  Deno.test(`A message is malformed: a pseudo-field ${what}`, () => {
    assertThrows(() => readFieldSection(fields), MalformedError);
  });
}

Deno.test("Trailers have no pseudo-fields", () => {
  for (const name of [":method", ":path", ":status"]) {
    assertThrows(() => checkTrailers([[name, "a"]]), MalformedError);
  }
});

Deno.test("Crumbs of Cookie are one field, where the first was", () => {
  const decoded: Field[] = [
    ["a", "1"],
    ["cookie", "x=1"],
    ["b", "2"],
    ["cookie", "y=2"],
    ["cookie", "z=3"],
  ];
  const { fields } = readFieldSection(decoded);
  assertEquals(fields, [["a", "1"], ["cookie", "x=1; y=2; z=3"], ["b", "2"]]);
  assertEquals(decoded[1], ["cookie", "x=1"], "what was given is not changed");
});

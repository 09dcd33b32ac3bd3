// The grammar of fields: what a name is, what a value is, and how the members
// of a list are found in it.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkFields,
  type Field,
  fieldName,
  isFieldValue,
  isFramingField,
  isToken,
  listed,
  listsToken,
  markChecked,
  parseContentLength,
  trimWhitespace,
  withHost,
} from "../../src/http/fields.ts";

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

Deno.test("isToken() accepts exactly the characters of a token", () => {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const expected = TOKEN_CHARACTERS.includes(character);
    assertEquals(isToken(character), expected, `code ${code}`);
    assertEquals(isToken(`a${character}b`), expected, `code ${code} inside`);
  }
});

Deno.test("isToken() refuses an empty text, and one with a line end after it", () => {
  for (const text of ["", "a\n", "a\r\n", "\na", "a b"]) {
    assertEquals(isToken(text), false, JSON.stringify(text));
  }
});

Deno.test("isFieldValue() refuses every control but HTAB", () => {
  for (let code = 0; code < 256; code++) {
    const control = code < 0x20 && code !== 0x09 || code === 0x7f;
    const character = String.fromCharCode(code);
    assertEquals(isFieldValue(character), !control, `code ${code}`);
    assertEquals(isFieldValue(`a${character}`), !control, `code ${code} last`);
  }
});

Deno.test("isFieldValue() accepts an empty value, and refuses what is no byte", () => {
  assertEquals(isFieldValue(""), true);
  assertEquals(isFieldValue("\u0100"), false);
  assertEquals(isFieldValue("\u{1f600}"), false);
});

Deno.test("fieldName() gives names in lowercase, known or not", () => {
  const names: [string, string][] = [
    ["Host", "host"],
    ["host", "host"],
    ["HOST", "host"],
    ["conTENT-Length", "content-length"],
    ["X-Unheard-Of", "x-unheard-of"],
    ["x_under.score|pipe", "x_under.score|pipe"],
    ["__proto__", "__proto__"],
    ["Constructor", "constructor"],
    ["0", "0"],
  ];
  for (const [name, expected] of names) assertEquals(fieldName(name), expected);
});

Deno.test("fieldName() gives nothing for what is no token", () => {
  for (
    const name of ["", "a b", "Host ", " Host", "Ho\x00st", "H\xf6st", "a:"]
  ) {
    assertEquals(fieldName(name), undefined, JSON.stringify(name));
  }
});

Deno.test("listsToken() finds a member in any case, at any place", () => {
  const lists = [
    "close",
    "Close",
    "CLOSE",
    "close,x",
    "x, close",
    "x ,\tclose\t, y",
    ",close",
    "close,",
    "keep-alive, Close",
  ];
  for (const list of lists) assertEquals(listsToken(list, "close"), true, list);
});

Deno.test("listsToken() takes no part of a member for the member", () => {
  const lists = [
    "",
    ",",
    "closed",
    "xclose",
    "clos",
    "close x",
    "cl,ose",
    "x-close",
    "close;q=1",
    "clo\xa0se",
    "close\xa0",
  ];
  for (const list of lists) {
    assertEquals(listsToken(list, "close"), false, list);
  }
});

Deno.test("trimWhitespace() strips SP and HTAB from both ends, and nothing else", () => {
  const texts: [string, string][] = [
    ["", ""],
    [" ", ""],
    [" \t ", ""],
    ["a", "a"],
    [" \ta b\t ", "a b"],
    ["a\t \tb", "a\t \tb"],
    ["\xa0a\xa0", "\xa0a\xa0"],
    ["\x0ba\x0c", "\x0ba\x0c"],
    ["\ra\n", "\ra\n"],
  ];
  for (const [text, expected] of texts) {
    assertEquals(trimWhitespace(text), expected);
  }
});

Deno.test("checkFields() gives names in lowercase, and checks once", () => {
  const fields: Field[] = [["X-A", "b"], ["x-a", ""]];
  const checked = checkFields(fields);
  assertEquals([...checked], [["x-a", "b"], ["x-a", ""]]);
  assertStrictEquals(checkFields(checked), checked);
  assertEquals(fields[0][0], "X-A");
});

Deno.test("checkFields() checks again what was made of checked fields", () => {
  const made: Field[] = [...markChecked([["x-a", "b"]]), ["a b", "c"]];
  assertThrows(() => checkFields(made), TypeError, "must be a token");
});

Deno.test("checkFields() refuses what can't be sent, and says what to do", () => {
  const cases: [unknown, unknown, string][] = [
    ["a b", "c", 'Cannot send field "a b": its name must be a token'],
    [5, "c", "Cannot send field number: its name must be a token"],
    ["X-A", "b\r\nc: d", "Cannot send field x-a: its value must be"],
    ["X-A", 5, "without controls, not number"],
  ];
  for (const [name, value, message] of cases) {
    const field = [name, value] as [string, string];
    assertThrows(() => checkFields([field]), TypeError, message);
  }
});

Deno.test("Content-Length and Transfer-Encoding frame content", () => {
  const names = ["content-length", "transfer-encoding", "trailer", "host"];
  assertEquals(names.map(isFramingField), [true, true, false, false]);
});

Deno.test("A Content-Length is 1 to 15 digits", () => {
  assertEquals(parseContentLength("0"), 0);
  assertEquals(parseContentLength("9".repeat(15)), 999_999_999_999_999);
  for (const value of ["", "-1", "+1", "1.0", "0x1", " 1", "1,1", "1e3"]) {
    assertEquals(parseContentLength(value), undefined);
  }
  assertEquals(parseContentLength("9".repeat(16)), undefined);
});

Deno.test("listed() joins the values of one name", () => {
  assertEquals(listed(undefined, "a"), "a");
  assertEquals(listed("a, b", "c"), "a, b, c");
});

Deno.test("withHost() puts Host first, in place of any other", () => {
  const host: Field = ["host", "b"];
  assertEquals(withHost([], "b"), [host]);
  const fields: Field[] = [["accept", "*"], ["host", "a"], ["x-host", "c"]];
  assertEquals(withHost(fields, "b"), [host, fields[0], fields[2]]);
  assertEquals(fields[1], ["host", "a"]);
});

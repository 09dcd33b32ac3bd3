// The grammar of Sec-WebSocket-Extensions, and the bound of what is read of it.

import { assertEquals, assertLess } from "@std/assert";
import {
  formatExtension,
  parseExtensions,
} from "../../src/websocket/extensions.ts";

Deno.test("parseExtensions() reads offers in their order, with their parameters", () => {
  assertEquals(parseExtensions('a; b; c=1 ,\td; e="2"; e="\\3"'), [
    { name: "a", parameters: [["b", true], ["c", "1"]] },
    { name: "d", parameters: [["e", "2"], ["e", "3"]] },
  ]);
});

Deno.test("parseExtensions() ignores empty members", () => {
  const none = { parameters: [] };
  assertEquals(parseExtensions(""), []);
  assertEquals(parseExtensions(" , ,a,, b ,"), [
    { name: "a", ...none },
    { name: "b", ...none },
  ]);
});

Deno.test("parseExtensions() gives undefined for what is malformed", () => {
  const malformed = [
    ";",
    "a;",
    "a;;b",
    "a b",
    "=",
    "a=b",
    "a; b=",
    "a; b=c d",
    "a; =c",
    '"a"',
    'a; "b"',
    'a; b="',
    'a; b=""',
    'a; b="c d"',
    "a; b={",
    "(a)",
  ];
  for (const value of malformed) {
    assertEquals(parseExtensions(value), undefined, value);
  }
});

Deno.test("formatExtension() writes what parseExtensions() reads", () => {
  const value = "a; b; c=1";
  assertEquals(parseExtensions(value)!.map(formatExtension), [value]);
});

Deno.test("parseExtensions() reads no more of a list than a client has use for", () => {
  const offer = "permessage-deflate; server_no_context_takeover; " +
    "client_no_context_takeover; server_max_window_bits=15; " +
    "client_max_window_bits=15";
  assertEquals(parseExtensions(Array(10).fill(offer).join())!.length, 10);
  for (const part of [",", "a,", "a;b,", ", ,", 'a;b="c",']) {
    const value = part.repeat(64 * 1024 / part.length);
    const { result, matches } = countMatches(() => parseExtensions(value));
    assertEquals(result, undefined, part);
    assertLess(matches, 1000, part);
  }
});

/** Counts how often a regular expression is matched. */
function countMatches<T>(
  run: () => T,
): { readonly result: T; readonly matches: number } {
  const { exec } = RegExp.prototype;
  let matches = 0;
  RegExp.prototype.exec = function (text) {
    matches++;
    return exec.call(this, text);
  };
  try {
    return { result: run(), matches };
  } finally {
    RegExp.prototype.exec = exec;
  }
}

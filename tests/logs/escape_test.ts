// Text from anywhere, made fit to stand in a log.

import { assertEquals } from "@std/assert";
import { escapeField, escapeText, jsonLine } from "../../src/logs/_escape.ts";

Deno.test("escapeField() keeps printable ASCII, but no quote and no backslash", () => {
  assertEquals(escapeField("GET /a?b HTTP/1.1"), "GET /a?b HTTP/1.1");
  assertEquals(escapeField('a"b\\c'), "a\\x22b\\x5cc");
  assertEquals(
    escapeField("a\r\né€\u{1f600}"),
    "a\\x0d\\x0a\\xe9\\u{20ac}\\u{1f600}",
  );
});

Deno.test("escapeText() keeps any script, and escapes what is invisible", () => {
  assertEquals(escapeText("Grüße, 世界 \\"), "Grüße, 世界 \\");
  assertEquals(
    escapeText("a\u202eb\x1b[2J\n"),
    "a\\u{202e}b\\x1b[2J\n".replace("\n", "\\x0a"),
  );
});

Deno.test("jsonLine() is one line that gives the value back", () => {
  const value = { text: "a\n\u2028\u{e0001}\x7f", more: ["é"] };
  const line = jsonLine(value);
  assertEquals(line.match(/[\n\u2028\u{e0001}\x7f]/gu), ["\n"]);
  assertEquals(JSON.parse(line), value);
});

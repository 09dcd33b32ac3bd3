// Records to be written, and what must not be in what is written of them.

import { assertEquals } from "@std/assert";
import type { AccessRecord } from "../../src/logs/mod.ts";
import type { Random } from "../_feeding.ts";

/** A whole response to a plain request; what is given replaces parts of it. */
export function accessRecord(parts: Partial<AccessRecord> = {}): AccessRecord {
  return {
    type: "http",
    time: Date.UTC(2000, 9, 10, 13, 55, 36, 7),
    duration: 1234.5678,
    client: ["192.0.2.1", 50000],
    scheme: "http",
    httpVersion: "1.1",
    method: "GET",
    target: "/items?page=2",
    headers: [
      ["host", "example.com"],
      ["referer", "http://example.com/"],
      ["user-agent", "test/1.0 (of lines)"],
    ],
    status: 200,
    bytesSent: 2326,
    aborted: false,
    ...parts,
  };
}

/** What has fooled terminals, parsers and people. */
export const HOSTILE = [
  "\n",
  "\r\n",
  "\t",
  "\0",
  '"',
  "\\",
  "\\x22",
  "\x1b[2J\x1b[31m",
  "\x1b]0;title\x07",
  "\x7f",
  "\x85",
  "\x9b31m",
  "\xff",
  " ",
  "%h",
  "\u2028",
  "\u2029",
  "\u202e",
  "\ufeff",
  "\ud800",
  "\u{e0041}",
  "é",
  "日本",
  "\n2026-01-31T12:00:00.123Z error Forged",
  '" 200 0 "-" "-"\n192.0.2.9 - - [',
  '","aborted":true,"x":"',
  "\n    at forged (file:///forged.ts:1:1)",
];

/** A string that is likely to harm a log. */
export function hostileText(random: Random): string {
  const pieces = Array.from(
    { length: random.below(5) },
    () => random.below(3) === 0 ? random.bytes(6) : random.pick(HOSTILE),
  );
  return pieces.join(random.pick(["", "a", " "]));
}

/** Asserts that no character of a text, but its newlines, is invisible. */
export function assertVisible(text: string): void {
  const invisible = [...text].filter((character) => {
    const code = character.codePointAt(0)!;
    return code < 0x20 && character !== "\n" ||
      code >= 0x7f && code <= 0x9f || code >= 0xd800 && code <= 0xdfff ||
      /[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/.test(character);
  });
  assertEquals(invisible, [], JSON.stringify(text));
}

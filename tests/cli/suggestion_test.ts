// What is suggested for a mistyped word, and when nothing is.

import { assertEquals } from "@std/assert";
import { suggest } from "../../src/cli/suggestion.ts";

const WORDS = ["port", "host", "hostname", "max-headers", "max-header-bytes"];

const SUGGESTIONS: [word: string, meant: string | undefined][] = [
  ["prot", "port"],
  ["por", "port"],
  ["portt", "port"],
  ["max-haeders", "max-headers"],
  ["maxheaders", "max-headers"],
  ["max-header-byte", "max-header-bytes"],
  ["hostnam", "hostname"],
  ["x", undefined],
  ["pq", undefined],
  ["something-else", undefined],
  ["", undefined],
];

for (const [word, meant] of SUGGESTIONS) {
  Deno.test(`suggest() gives ${meant ?? "nothing"} for "${word}"`, () => {
    assertEquals(suggest(word, WORDS), meant);
  });
}

Deno.test("suggest() gives nothing when there are no words", () => {
  assertEquals(suggest("port", []), undefined);
});

// What the command line chooses of the cases and servers.

import { assertEquals, assertThrows } from "@std/assert";
import { chosen } from "../../bench/compare/choice.ts";

const ALL = ["tls", "h2-up", "h2-down"].map((name) => ({ name }));

/** The names that are chosen. */
function names(...asked: string[]): string[] {
  return chosen(ALL, asked, "case").map(({ name }) => name);
}

Deno.test("all are chosen where none is named", () => {
  assertEquals(names(), ["tls", "h2-up", "h2-down"]);
});

Deno.test("those that are named are chosen, in the order of all", () => {
  assertEquals(names("h2-down", "tls"), ["tls", "h2-down"]);
});

Deno.test("those whose names begin as asked are chosen", () => {
  assertEquals(names("h2-*"), ["h2-up", "h2-down"]);
});

Deno.test("a name that none has is an error", () => {
  const message = 'Cannot compare: there is no case "h3-*"';
  assertThrows(() => names("tls", "h3-*"), RangeError, message);
});

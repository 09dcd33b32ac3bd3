// The field Forwarded, read from the right.

import { assertEquals } from "@std/assert";
import { parseForwarded } from "../../src/middleware/forwarded_header.ts";

/** The elements of field lines, as objects. */
function elements(...lines: string[]): Record<string, string>[] {
  return [...parseForwarded(lines)].map((element) =>
    Object.fromEntries(element)
  );
}

const UNKNOWN = { for: "unknown" };

Deno.test("parseForwarded() gives the last element of the last line first", () => {
  assertEquals(
    elements("for=a, for=b;proto=https", "For=c"),
    [{ for: "c" }, { for: "b", proto: "https" }, { for: "a" }],
  );
});

Deno.test("parseForwarded() reads quoted strings", () => {
  assertEquals(
    elements('for="[::1]:80";host="a,b;c\\"d"'),
    [{ for: "[::1]:80", host: 'a,b;c"d' }],
  );
});

Deno.test("parseForwarded() ends at an element that cannot be parsed", () => {
  for (const bad of ["for", "for=a b", "=a", "for=a;for=b", 'for="a']) {
    assertEquals(elements(`for=x, ${bad}, for=y`).slice(0, 2).at(-1), UNKNOWN);
  }
});

Deno.test("parseForwarded() keeps an appended element, whatever quote is open before", () => {
  assertEquals(elements('for="forged, for=real')[0], { for: "real" });
});

Deno.test("parseForwarded() passes over empty elements", () => {
  assertEquals(elements(", ,for=a,,", ""), [{ for: "a" }]);
});

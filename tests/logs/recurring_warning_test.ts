// Warnings that clients can bring about: the first at once, later ones now and
// then, with how many there were between.

import { assertEquals, assertMatch } from "@std/assert";
import { RecurringWarning } from "../../src/logs/recurring_warning.ts";

Deno.test("The first warning is given at once, and says nothing more", () => {
  assertEquals(new RecurringWarning().occur(), "");
});

Deno.test("A flood of warnings is held back, and counted", () => {
  const warning = new RecurringWarning();
  warning.occur(0);
  for (let ms = 1; ms < 1000; ms++) assertEquals(warning.occur(ms), undefined);
  assertMatch(warning.occur(60_000)!, /^ .*\b999\b/);
});

Deno.test("A warning that is rare is given each time", () => {
  const warning = new RecurringWarning();
  for (let ms = 0; ms < 300_000; ms += 60_000) {
    assertEquals(warning.occur(ms), "");
  }
});

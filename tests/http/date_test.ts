// The date as HTTP writes it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { httpDate } from "../../src/http/date.ts";

Deno.test("httpDate() gives the current second as an IMF-fixdate", () => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const value = httpDate();
  const after = Date.now();
  assertMatch(
    value,
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  );
  const time = Date.parse(value);
  assert(before <= time && time <= after, value);
});

Deno.test("httpDate() follows the clock", () => {
  const { now } = Date;
  try {
    Date.now = () => Date.UTC(1994, 10, 6, 8, 49, 37, 999);
    assertEquals(httpDate(), "Sun, 06 Nov 1994 08:49:37 GMT");
    Date.now = () => Date.UTC(1994, 10, 6, 8, 49, 38);
    assertEquals(httpDate(), "Sun, 06 Nov 1994 08:49:38 GMT");
  } finally {
    Date.now = now;
  }
});

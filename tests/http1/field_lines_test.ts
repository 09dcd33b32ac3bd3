// The rules for fields, as tables of what is accepted and what is refused, and
// with which status.

import { assert, assertEquals } from "@std/assert";
import {
  byteByByte,
  coarseFeedings,
  everyFeeding,
  someFeedings,
} from "../_feeding.ts";
import {
  assertAccepted,
  assertRefused,
  parserOf,
  request,
  startingWith,
} from "./_heads.ts";

// Rule 3: fields.

Deno.test("Names come in lowercase and values without white space around them", async () => {
  const cases: [string, string, string][] = [
    ["X-Value:abc", "x-value", "abc"],
    ["X-VALUE: abc", "x-value", "abc"],
    ["x-value: \t abc\t \t", "x-value", "abc"],
    ["x-value:", "x-value", ""],
    ["x-value: \t ", "x-value", ""],
    ["x-value: a\t b", "x-value", "a\t b"],
    ["x-value: a: b:c", "x-value", "a: b:c"],
    ["x-value: caf\xc3\xa9 \x80\xff", "x-value", "caf\xc3\xa9 \x80\xff"],
    ["x-value: \xa0abc\xa0", "x-value", "\xa0abc\xa0"],
    ["!#$%&'*+-.^_`|~09: x", "!#$%&'*+-.^_`|~09", "x"],
    ["__proto__: x", "__proto__", "x"],
  ];
  for (const [line, name, value] of cases) {
    const { headers } = await assertAccepted(request(line));
    assertEquals(headers, [["host", "a"], [name, value]]);
  }
});

Deno.test("Repeated fields are kept in order, and never joined", async () => {
  const { headers } = await assertAccepted(
    request("Cookie: a", "X: 1", "Cookie: b", "cookie: a"),
  );
  assertEquals(headers.slice(1), [
    ["cookie", "a"],
    ["x", "1"],
    ["cookie", "b"],
    ["cookie", "a"],
  ]);
});

Deno.test("A malformed field is refused with 400", async () => {
  const lines = [
    "X : a",
    "X\t: a",
    " X: a",
    "\tX: a",
    ": a",
    ":",
    "X",
    "X a",
    "X a: b",
    "(X): a",
    "X\xe9: a",
    "X: a\r\n b",
    "X: a\r\n\tb: c",
    "X: a\r\n ",
    "X: a\x00b",
    "X\x00: a",
    "X: a\x0bb",
    "X: a\x0cb",
    "X: a\x07",
    "X: \x1b[31m",
    "X: a\x7fb",
    "X: a\nb",
    "X: a\rb",
  ];
  for (const line of lines) await assertRefused(request(line), 400);
});

Deno.test("Fields past their number are refused with 431, at it accepted", async () => {
  const limits = { maxHeaders: 3 };
  await assertAccepted(request("a: 1", "b: 2"), limits);
  await assertRefused(request("a: 1", "b: 2", "c: 3"), 431, limits);
});

Deno.test("Fields past their bytes are refused with 431, at them accepted", async () => {
  // The lines count with their CRLFs: "Host: a" is 9 bytes, "X: 45678" is 10.
  const limits = { maxHeaderBytes: 19 };
  await assertAccepted(request("X: 45678"), limits);
  await assertRefused(request("X: 456789"), 431, limits);
  await assertRefused(request("A:1", "B:2", "C:3"), 431, limits);
  await assertRefused("GET / HTTP/1.1\r\nX: " + "y".repeat(30), 431, limits);
});

Deno.test("The default limits of fields are 128, and 64 KiB", async () => {
  const lines = Array.from({ length: 127 }, (_, i) => `x-${i}: ${i}`);
  const fits = request(...lines);
  assertEquals(
    (await assertAccepted(fits, {}, [byteByByte(fits)])).headers.length,
    128,
  );
  const many = request(...lines, "y: 1");
  await assertRefused(many, 431, {}, someFeedings(many, 10));

  const room = 65_536 - "Host: a\r\nX: \r\n".length;
  const large = request(`X: ${"y".repeat(room)}`);
  await assertAccepted(large, {}, coarseFeedings(large, 10));
  const larger = request(`X: ${"y".repeat(room + 1)}`);
  await assertRefused(larger, 431, {}, coarseFeedings(larger, 10));
});

Deno.test("Each head of a connection has the limits for itself", async () => {
  const wire = startingWith("GET /1 HTTP/1.1").repeat(5);
  for (const feeding of everyFeeding(wire)) {
    const parser = parserOf(feeding, {
      maxHeaders: 1,
      maxHeaderBytes: "Host: a\r\n".length,
      maxRequestLineBytes: "GET /1 HTTP/1.1".length,
    });
    for (let i = 0; i < 5; i++) assert(await parser.read() !== null);
    assertEquals(await parser.read(), null);
  }
});

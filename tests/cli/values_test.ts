// The forms of values: what each reads, what it refuses, and that a value is
// written as it would be read.

import { assertEquals } from "@std/assert";
import {
  BACKLOG,
  BOOLEAN,
  choiceForm,
  COUNT,
  DURATION,
  MODE,
  NULLABLE_TEXT,
  PORT,
  PROXIES,
  ROOT_PATH,
  SIZE,
  STREAMS,
  textForm,
  type ValueForm,
  WHOLE,
  WINDOW,
  WORKERS,
} from "../../src/cli/values.ts";

/** What each form reads, and what it refuses. */
const FORMS: [name: string, ValueForm, [string, unknown][], string[]][] = [
  ["a duration", DURATION, [
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5s", 1500],
    ["0.5ms", 0.5],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["none", Infinity],
  ], ["", "30", "0s", "0", "-1s", "1 s", "1d", "s", "1S", ".5s", "Infinity"]],
  ["a size", SIZE, [
    ["65536", 65_536],
    ["64KiB", 65_536],
    ["16MiB", 16_777_216],
    ["1GiB", 1_073_741_824],
    ["none", Infinity],
  ], [
    "",
    "0",
    "0KiB",
    "64KB",
    "64k",
    "1.5KiB",
    "-1",
    "0x10",
    "9007199254740992",
  ]],
  ["a count", COUNT, [["1", 1], ["128", 128], ["none", Infinity]], [
    ...["", "0", "-1", "1.5", "1e3", "0x10", "many", "9007199254740992"],
  ]],
  ["a whole number", WHOLE, [["0", 0], ["7", 7]], ["", "-1", "1.5", "none"]],
  ["a number of workers", WORKERS, [["1", 1], ["auto", "auto"]], [
    ...["", "0", "none", "-2", "Auto"],
  ]],
  ["a backlog", BACKLOG, [["1", 1], ["65535", 65_535]], ["", "0", "65536"]],
  ["a number of streams", STREAMS, [["1", 1], ["2147483647", 2147483647]], [
    ...["", "0", "2147483648", "1.5", "none"],
  ]],
  ["a window", WINDOW, [
    ["65535", 65_535],
    ["64KiB", 65_536],
    ["2147483647", 2147483647],
  ], ["", "65534", "2GiB", "256KB", "none"]],
  ["a port", PORT, [["0", 0], ["65535", 65_535]], [
    ...["", "65536", "-1", "80.5", "http", "none"],
  ]],
  ["a mode", MODE, [["660", 0o660], ["0600", 0o600]], [
    ...["", "66", "680", "rw", "1660", "0o660"],
  ]],
  ["a switch", BOOLEAN, [
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ], ["", "yes", "TRUE", "toString", "2"]],
  ["a nullable text", NULLABLE_TEXT, [["x y", "x y"], ["none", null]], [
    ...["a\nb", "\x7f"],
  ]],
  ["a list of proxies", PROXIES, [
    ["10.0.0.0/8", ["10.0.0.0/8"]],
    ["127.0.0.1,::1,unix", ["127.0.0.1", "::1", "unix"]],
    ["none", []],
  ], ["", "*", "proxy", "10.0.0.1/8", "::1,", "127.0.0.1 ::1", "none,unix"]],
  [
    "a root path",
    ROOT_PATH,
    [["/api", "/api"], ["/a/b", "/a/b"], ["none", ""]],
    [
      ...["", "/", "api", "/api/", "//api", "/a?b"],
    ],
  ],
  ["a text", textForm("X", "an x"), [["any", "any"]], [""]],
  ["a choice", choiceForm("a", "b"), [["a", "a"], ["b", "b"]], ["", "c", "A"]],
];

for (const [name, form, accepted, refused] of FORMS) {
  Deno.test(`${name} is read`, () => {
    for (const [text, value] of accepted) {
      assertEquals(form.parse(text), value, text);
    }
  });

  Deno.test(`what is not ${name} is refused`, () => {
    for (const text of refused) {
      assertEquals(form.parse(text), undefined, `"${text}"`);
    }
  });

  Deno.test(`${name} is written so that it is read again`, () => {
    for (const [, value] of accepted) {
      assertEquals(form.parse(form.format(value)), value);
    }
  });
}

Deno.test("values are written in their largest unit without a fraction", () => {
  assertEquals(DURATION.format(75_000), "75s");
  assertEquals(DURATION.format(120_000), "2m");
  assertEquals(DURATION.format(1), "1ms");
  assertEquals(SIZE.format(65_536), "64KiB");
  assertEquals(SIZE.format(65_537), "65537");
});

Deno.test("a choice says what it expects", () => {
  assertEquals(choiceForm("a").expected, "a");
  assertEquals(choiceForm("a", "b").expected, "a or b");
  assertEquals(choiceForm("a", "b", "c").expected, "a, b or c");
});

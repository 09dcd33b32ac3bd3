// Log records become text that people and machines can read, whatever the
// error is, and nothing in a message can pass for a record, or move a cursor.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  formatLogRecord,
  type LogLineOptions,
  type LogRecord,
} from "../../src/logs/mod.ts";
import { Random } from "../_feeding.ts";
import { assertVisible, HOSTILE, hostileText } from "./_records.ts";

const TIME = new Date("2026-01-31T12:00:00.123Z");
const RECORD_LINE =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) /;

function plain(
  record: Partial<LogRecord>,
  options: Partial<LogLineOptions> = {},
): string {
  return formatLogRecord(
    { level: "info", message: "Listening", ...record },
    { format: "plain", color: false, time: TIME, ...options },
  );
}

// deno-lint-ignore no-explicit-any -- It is whatever was parsed.
function json(record: Partial<LogRecord>, process?: string): any {
  const line = plain(record, { format: "json", color: true, process });
  assertEquals(line.indexOf("\n"), line.length - 1, line);
  assertVisible(line);
  return JSON.parse(line);
}

/** An error whose stack is short, and the same everywhere. */
function errorOf(message: string, options?: ErrorOptions): Error {
  const error = new Error(message, options);
  error.stack = `Error: ${message}\n    at one (a.ts:1:2)\n    at b.ts:3:4`;
  return error;
}

// For people.

Deno.test("A plain record is one line: time, level, message", () => {
  assertEquals(plain({}), "2026-01-31T12:00:00.123Z info  Listening\n");
  assertEquals(
    plain({ level: "error", message: "Failed" }),
    "2026-01-31T12:00:00.123Z error Failed\n",
  );
});

Deno.test("A plain record says which process it is about", () => {
  assertEquals(
    plain({}, { process: "worker 1" }),
    "2026-01-31T12:00:00.123Z info  [worker 1] Listening\n",
  );
});

Deno.test("Levels have different colours, if there are colours", () => {
  const levels = ["debug", "info", "warn", "error"] as const;
  const lines = levels.map((level) => plain({ level }, { color: true }));
  const colors = lines.map((line, i) => {
    const [, color, rest] = line.split("\x1b[");
    assertEquals(rest, "0m Listening\n");
    assertMatch(color, new RegExp(`^[0-9]+m${levels[i].padEnd(5)}$`));
    return Number.parseInt(color);
  });
  assertEquals(new Set(colors).size, levels.length);
});

Deno.test("An error follows the message, its stack is below it", () => {
  assertEquals(
    plain({ level: "error", message: "Failed", error: errorOf("no") }),
    [
      "2026-01-31T12:00:00.123Z error Failed: Error: no",
      "    at one (a.ts:1:2)",
      "    at b.ts:3:4",
      "",
    ].join("\n"),
  );
});

Deno.test("A message of several lines cannot pass for records", () => {
  const error = errorOf(
    "one\n2026-01-31T12:00:00.123Z error two\n    at three",
  );
  assertEquals(
    plain({ message: "Failed", error }),
    [
      "2026-01-31T12:00:00.123Z info  Failed: Error: one",
      "    | 2026-01-31T12:00:00.123Z error two",
      "    |     at three",
      "    at one (a.ts:1:2)",
      "    at b.ts:3:4",
      "",
    ].join("\n"),
  );
});

Deno.test("Causes and members stand below an error, each indented further", () => {
  const cause = errorOf("inner", { cause: "the innermost" });
  const error = new AggregateError([errorOf("first"), 7], "several", { cause });
  error.stack = "AggregateError: several";
  assertEquals(
    plain({ message: "Failed", error }),
    [
      "2026-01-31T12:00:00.123Z info  Failed: AggregateError: several",
      "  cause: Error: inner",
      "      at one (a.ts:1:2)",
      "      at b.ts:3:4",
      "    cause: the innermost",
      "  errors[0]: Error: first",
      "      at one (a.ts:1:2)",
      "      at b.ts:3:4",
      "  errors[1]: 7",
      "",
    ].join("\n"),
  );
});

Deno.test("The name of an error is the one it has, not that of its stack", () => {
  const error = errorOf("no");
  error.name = "Special";
  assert(plain({ error }).includes(" Listening: Special: no\n    at one "));
});

Deno.test("Text of any script stays readable", () => {
  const message = "Zugriff auf „Öl“ verweigert: 日本 🚀";
  const error = errorOf(message);
  assert(plain({ message }).endsWith(` ${message}\n`));
  assert(plain({ error }).includes(`Error: ${message}\n`));
  assertEquals(json({ message, error }).error.message, message);
});

Deno.test("Controls and invisible characters are escaped in plain records", () => {
  const message = "a\x1b[2J\n\r\t\0\x7f\x9b\u202e\u2028\u{e0041}\ud800 b";
  const escaped = String
    .raw`a\x1b[2J\x0a\x0d\x09\x00\x7f\x9b\u{202e}\u{2028}\u{e0041}\u{d800} b`;
  assert(plain({ message }).endsWith(` ${escaped}\n`), plain({ message }));
  assertMatch(plain({}, { process: "\x1b[2J" }), / \[\\x1b\[2J\] /);
});

// For machines.

Deno.test("A JSON record is an object in one line", () => {
  assertEquals(json({}), {
    time: "2026-01-31T12:00:00.123Z",
    level: "info",
    message: "Listening",
  });
  assertEquals(json({}, "worker 1").process, "worker 1");
});

Deno.test("A JSON record holds the error with its causes and members", () => {
  const cause = errorOf("inner");
  const error = new AggregateError([errorOf("first"), 7], "several", { cause });
  error.stack = "a\nb";
  const { stack } = cause;
  assertEquals(json({ error }).error, {
    name: "AggregateError",
    message: "several",
    stack: "a\nb",
    cause: { name: "Error", message: "inner", stack },
    errors: [
      { name: "Error", message: "first", stack: errorOf("first").stack },
      { message: "7" },
    ],
  });
});

// Whatever was thrown.

const throwing = {
  get(): never {
    throw new Error("Thrown by the test");
  },
  getPrototypeOf(): never {
    throw new Error("Thrown by the test");
  },
};

const { proxy: revoked, revoke } = Proxy.revocable(new Error(), {});
revoke();

const THROWN: Record<string, [unknown, string]> = {
  "a string": ["no", "no"],
  "null": [null, "null"],
  "a number": [-0, "0"],
  "a symbol": [Symbol("no"), "Symbol(no)"],
  "a bigint": [7n, "7"],
  "an object": [{ code: 7 }, '{"code":7}'],
  "an object that JSON knows nothing of": [new Map(), "[object Map]"],
  "an object without a prototype": [Object.create(null), "[unreadable]"],
  "a cyclic object": [cyclicObject(), "[object Object]"],
  "an object that throws": [new Proxy({}, throwing), "[unreadable]"],
  "an error that throws": [
    new Proxy(new Error("no"), { get: throwing.get }),
    "",
  ],
  "a revoked proxy": [revoked, "[unreadable]"],
};

for (const [what, [error, message]] of Object.entries(THROWN)) {
  Deno.test(`A record is written although what was thrown is ${what}`, () => {
    assertEquals(json({ error }).error.message, message);
    const name = json({ error }).error.name;
    const title = [name, message].filter((part) => part).join(": ");
    assertEquals(
      plain({ error }),
      `2026-01-31T12:00:00.123Z info  Listening: ${title}\n`,
    );
  });
}

function cyclicObject(): unknown {
  const object: Record<string, unknown> = {};
  object.self = object;
  return object;
}

Deno.test("An error without an own message or stack is shown by its name", () => {
  const error = new TypeError();
  error.stack = undefined;
  assertEquals(json({ error }).error, { name: "TypeError", message: "" });
  assert(plain({ error }).endsWith(" Listening: TypeError\n"));
});

Deno.test("An error whose parts are of odd types is shown without them", () => {
  const parts = { name: 7, message: {}, stack: [], errors: "several" };
  const error = Object.assign(new Error(), parts);
  assertEquals(json({ error }).error, { name: "Error", message: "" });
});

Deno.test("A cause that was shown is not shown again", () => {
  const error = errorOf("outer");
  error.cause = errorOf("inner", { cause: error });
  const inner = json({ error }).error.cause;
  assertEquals(inner.message, "inner");
  assertEquals(inner.cause, { message: "[shown above]" });
  assert(plain({ error }).endsWith("\n    cause: [shown above]\n"));
});

Deno.test("Causes and members that never end are cut", () => {
  class Endless extends AggregateError {
    override get cause(): unknown {
      return new Endless(new Array(1_000).fill("member"));
    }
    override set cause(_: unknown) {}
  }
  const error = new Endless(new Array(1_000).fill("member"));
  for (const text of [plain({ error }), JSON.stringify(json({ error }))]) {
    assert(text.includes("[left out]"));
    assert(text.split("member").length < 2_000);
  }
});

Deno.test("Whatever an error says, each line but the first is indented", () => {
  const random = new Random(0xe4404);
  const texts = Array.from({ length: 1_000 }, () => hostileText(random));
  for (const text of [...texts, ...HOSTILE]) {
    const cause = Object.assign(new Error(text), { name: text });
    const members = [text, new Error("", { cause: text })];
    const error = new AggregateError(members, text, { cause });
    if (random.below(2) === 0) error.stack = text;
    const lines = plain({ message: text, error }).split("\n");
    assertEquals(lines.pop(), "");
    assertMatch(lines[0], RECORD_LINE);
    for (const line of lines.slice(1)) {
      assertMatch(line, /^ +(at |\| |cause: |errors\[\d\]: )/);
    }
    lines.forEach(assertVisible);
    const parsed = json({ message: text, error });
    assertEquals(parsed.message, text);
    assertEquals(parsed.error.cause.message, text);
  }
});

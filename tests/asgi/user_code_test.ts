// Calling what is the user's, and reading what it throws: whatever it does,
// nothing is thrown here.

import { assert, assertEquals } from "@std/assert";
import {
  callUser,
  isInstance,
  messageOf,
  readItems,
  readMember,
  textOf,
} from "../../src/asgi/user_code.ts";
import { HOSTILE_VALUES } from "../_hostile_values.ts";

/** What comes of a call, when all that can happen has happened. */
async function failuresOf(callback: () => unknown): Promise<unknown[]> {
  const failures: unknown[] = [];
  callUser(callback, (error) => failures.push(error));
  await new Promise((resolve) => setTimeout(resolve, 0));
  return failures;
}

const FAILED = new Error("fault of the test");
const throwing = {
  get then(): never {
    throw FAILED;
  },
};

const FAILING: Record<string, () => unknown> = {
  "throws": () => {
    throw FAILED;
  },
  "is async and rejects": () => Promise.reject(FAILED),
  "rejects later": async () => {
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    throw FAILED;
  },
  "gives a thenable that throws": () => throwing,
};

for (const [what, callback] of Object.entries(FAILING)) {
  Deno.test(`callUser() reports, once, a callback that ${what}`, async () => {
    assertEquals(await failuresOf(callback), [FAILED]);
  });
}

Deno.test("callUser() reports nothing of a callback that does well", async () => {
  const values = [undefined, null, 1, "text", {}, Promise.resolve(1), () => {}];
  for (const value of values) {
    assertEquals(await failuresOf(() => value), []);
  }
});

for (const [what, create] of Object.entries(HOSTILE_VALUES)) {
  Deno.test(`Nothing is thrown by reading ${what}`, () => {
    assertEquals(typeof messageOf(create()), "string");
    assertEquals(typeof textOf(create()), "string");
    assert(!isInstance(create(), RangeError));
    const value = create();
    if (typeof value !== "object" || value === null) return;
    assert((readItems(readMember(value, "errors"), 10)?.length ?? 0) <= 10);
  });
}

Deno.test("messageOf() gives the message, and the name of all but plain errors", () => {
  assertEquals(messageOf(new Error("No database")), "No database");
  assertEquals(messageOf(new RangeError("too far")), "RangeError: too far");
  assertEquals(messageOf(new RangeError()), "RangeError");
  assertEquals(messageOf(new Error()), "Error");
  assertEquals(messageOf("a text"), "a text");
  assertEquals(messageOf({ code: 7 }), '{"code":7}');
});

Deno.test("readItems() gives the first items, and nothing of what is no list", () => {
  assertEquals(readItems([1, 2, 3], 2), [1, 2]);
  assertEquals(readItems([], 2), []);
  for (const other of [undefined, null, "list", { length: 2 }]) {
    assertEquals(readItems(other, 2), undefined);
  }
});

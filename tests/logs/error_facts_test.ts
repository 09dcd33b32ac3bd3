// What a log can show of anything that was thrown.

import { assert, assertEquals } from "@std/assert";
import { factsOf } from "../../src/logs/_error_facts.ts";

Deno.test("factsOf() reads an error, its cause and its members", () => {
  const error = new AggregateError([new RangeError("a")], "several", {
    cause: new TypeError("b"),
  });
  const { name, message, cause, errors } = factsOf(error);
  assertEquals([name, message], ["AggregateError", "several"]);
  assertEquals([cause?.name, cause?.message], ["TypeError", "b"]);
  assertEquals(errors?.map(({ name }) => name), ["RangeError"]);
});

Deno.test("factsOf() has only a message of a value that is no error", () => {
  assertEquals(factsOf("text"), { message: "text" });
});

Deno.test("factsOf() shows an error once, also if it is its own cause", () => {
  const error = new Error("a");
  error.cause = error;
  assertEquals(factsOf(error).cause, { message: "[shown above]" });
});

Deno.test("factsOf() is finite, however many causes there are", () => {
  let error = new Error("last");
  for (let i = 0; i < 1000; i++) error = new Error("more", { cause: error });
  let depth = 0;
  for (let facts = factsOf(error); facts.cause; facts = facts.cause) depth++;
  assert(depth < 100, `${depth}`);
});

Deno.test("factsOf() does not throw what getters throw", () => {
  const error = new Error("a");
  Object.defineProperty(error, "message", {
    get() {
      throw new Error("getter");
    },
  });
  assertEquals(factsOf(error).message, "");
});

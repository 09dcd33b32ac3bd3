// Rules for the values of options, and the error for a value that breaks one.

import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  isBoolean,
  isFunction,
  isObject,
  isPort,
  isString,
  mustBe,
} from "../../src/server/_rules.ts";

const SAMPLES = ["", false, () => {}, {}, [], null, undefined, 0, 65_535];

Deno.test("rules accept the values that they are named for", () => {
  const [text, flag, fn, object, list] = SAMPLES;
  assertEquals(SAMPLES.filter(isString), [text]);
  assertEquals(SAMPLES.filter(isBoolean), [flag]);
  assertEquals(SAMPLES.filter(isFunction), [fn]);
  assertEquals(SAMPLES.filter(isObject), [object, list]);
  assertEquals([...SAMPLES, -1, 1.5, 65_536].filter(isPort), [0, 65_535]);
});

Deno.test("mustBe() names what breaks a rule, and shows the value", () => {
  const rule = ["a string", isString] as const;
  const error = mustBe('option "a"', rule, false);
  assertInstanceOf(error, TypeError);
  assertEquals(
    error.message,
    'Cannot serve: option "a" must be a string, not false',
  );
  const shown = (value: unknown) =>
    mustBe("a", rule, value).message.split(", not ")[1];
  assertEquals(shown("80"), '"80"');
  assertEquals(shown(Object.create(null)), "an instance of Object");
  assertEquals(shown([]), "[]");
  assertEquals(shown(["a"]), '["a"]');
  assertEquals(
    shown("a private key, which is long"),
    '"a private key, which…"',
  );
});

Deno.test("mustBe() makes a RangeError for a number", () => {
  assertInstanceOf(mustBe("port", ["a port", isPort], -1), RangeError);
});

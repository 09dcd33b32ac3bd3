// Checks of single keys of events: what they accept, what they make of it, and
// what the error of what they refuse says.

import { assertEquals, assertThrows } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import {
  checkBody,
  checkCount,
  checkField,
  checkFields,
  checkFlag,
  checkStatus,
  isIterable,
  show,
  unknownType,
} from "../../src/asgi/event_checks.ts";

const EVENT = { type: "test.event" };

const SHOWN: readonly [value: unknown, text: string][] = [
  ["text", '"text"'],
  ["x".repeat(61), `"${"x".repeat(60)}…"`],
  [5, "5"],
  [null, "null"],
  [undefined, "undefined"],
  [() => {}, "a function"],
  [{}, "an instance of Object"],
  [new Map(), "an instance of Map"],
  [Object.create(null), "an instance of Object"],
];

for (const [value, text] of SHOWN) {
  Deno.test(`show() gives ${text}`, () => assertEquals(show(value), text));
}

Deno.test("A status is an integer from 200 to 999", () => {
  for (const status of [200, 599, 999]) {
    assertEquals(checkStatus(EVENT, status), status);
  }
  for (const status of [199, 1000, 200.5, "200", undefined]) {
    assertThrows(
      () => checkStatus(EVENT, status),
      InvalidEventError,
      "Cannot send test.event: status must be an integer 200–999, not ",
    );
  }
});

Deno.test("Content is bytes, or text that becomes UTF-8, or nothing", () => {
  const bytes = Uint8Array.of(1);
  assertEquals(checkBody(EVENT, bytes) === bytes, true);
  assertEquals(checkBody(EVENT, "é"), Uint8Array.of(0xc3, 0xa9));
  assertEquals(checkBody(EVENT, undefined).length, 0);
  for (const body of [null, 5, [1], new ArrayBuffer(1)]) {
    assertThrows(() => checkBody(EVENT, body), InvalidEventError, "body must");
  }
});

Deno.test("A flag is a boolean, false by default", () => {
  assertEquals(checkFlag(EVENT, "more_body", undefined), false);
  assertEquals(checkFlag(EVENT, "more_body", true), true);
  assertThrows(
    () => checkFlag(EVENT, "more_body", 1),
    InvalidEventError,
    "more_body must be a boolean, not 1",
  );
});

Deno.test("A count is a number of bytes, or absent", () => {
  for (const count of [undefined, 0, 2 ** 40]) {
    checkCount(EVENT, "count", count);
  }
  for (const count of [-1, 0.5, 2 ** 53, "1", null]) {
    assertThrows(
      () => checkCount(EVENT, "count", count),
      InvalidEventError,
      "count must be a number of bytes",
    );
  }
});

Deno.test("Fields get names in lowercase, and may be bytes", () => {
  const headers = [["X-A", "1"], [Uint8Array.of(0x62), Uint8Array.of(0xe9)]];
  assertEquals(checkFields(EVENT, headers), [["x-a", "1"], ["b", "\xe9"]]);
  assertEquals(checkFields(EVENT, undefined), []);
});

const WRONG_HEADERS: readonly [headers: unknown, message: string][] = [
  ["a: 1", "headers must be a list of pairs"],
  [5, "headers must be a list of pairs"],
  [[["a"]], "each header must be a pair"],
  [[["a", "1", "2"]], "each header must be a pair"],
  [[["a b", "1"]], "a header's name must be a token"],
  [[["a", "1\r\nb: 2"]], "the value of a must be a byte string"],
  [[["a", "\u{1f600}"]], "the value of a must be a byte string"],
];

for (const [headers, message] of WRONG_HEADERS) {
  Deno.test(`Headers are refused: ${JSON.stringify(headers)}`, () => {
    assertThrows(
      () => checkFields(EVENT, headers),
      InvalidEventError,
      message,
    );
  });
}

Deno.test("A single field is checked as those of a list", () => {
  assertEquals(checkField(EVENT, "Link", "</a>"), ["link", "</a>"]);
  assertThrows(() => checkField(EVENT, "", "1"), InvalidEventError, "token");
});

Deno.test("A list is what can be iterated over, but no text", () => {
  assertEquals([[], new Set()].map(isIterable), [true, true]);
  assertEquals(["text", {}, null, 5].map(isIterable), [
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("An unknown type is shown, whatever the event is", () => {
  const messages = [{ type: "odd" }, undefined, 5].map((event) =>
    unknownType(event).message
  );
  assertEquals(messages, [
    'Cannot send event: unknown type "odd"',
    "Cannot send event: unknown type undefined",
    "Cannot send event: unknown type undefined",
  ]);
});

Deno.test("checkBody() refuses bytes that were transferred", () => {
  const bytes = new Uint8Array([1, 2]);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  assertThrows(
    () => checkBody(EVENT, bytes),
    InvalidEventError,
    "the bytes were transferred",
  );
});

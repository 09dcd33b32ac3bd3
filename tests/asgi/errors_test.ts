// The errors that applications meet, and how the server distinguishes a disconnect
// from a fault of the application, however deep the error is wrapped.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
  isDisconnect,
} from "../../src/asgi/errors.ts";

Deno.test("ClientDisconnected is an error that says what it is, and why", () => {
  const cause = new Error("reset");
  const error = new ClientDisconnected({ cause });
  assertInstanceOf(error, Error);
  assertEquals(error.name, "ClientDisconnected");
  assertEquals(error.message, "Cannot send: the client has disconnected");
  assertEquals(error.cause, cause);
});

Deno.test("InvalidEventError is a TypeError", () => {
  const error = new InvalidEventError("Cannot send");
  assertInstanceOf(error, TypeError);
  assertEquals(error.name, "InvalidEventError");
});

const left = new ClientDisconnected();
const cyclic = new Error("cyclic");
cyclic.cause = cyclic;
const crowd = new AggregateError([new Error("a")]);
crowd.errors.push(crowd);

const DISCONNECTS: Record<string, unknown> = {
  "itself": left,
  "the cause of an error": new Error("wrapped", { cause: left }),
  "the cause of a cause": new TypeError("wrapped twice", {
    cause: new Error("wrapped", { cause: left }),
  }),
  "one of several errors": new AggregateError([new Error("other"), left]),
  "the cause of one of several errors": new AggregateError([
    new Error("wrapped", { cause: left }),
  ]),
  "several errors as a cause": new Error("wrapped", {
    cause: new AggregateError([left]),
  }),
  "the cause of several errors": new AggregateError([new Error("other")], "x", {
    cause: left,
  }),
  "several errors in several errors": new AggregateError([
    new AggregateError([left]),
  ]),
};

for (const [where, error] of Object.entries(DISCONNECTS)) {
  Deno.test(`isDisconnect() recognises a ClientDisconnected that is ${where}`, () => {
    assert(isDisconnect(error));
  });
}

const OTHERS: Record<string, unknown> = {
  "undefined": undefined,
  "null": null,
  "a string": "ClientDisconnected",
  "an error of another class": new Error("Cannot send"),
  "an InvalidEventError": new InvalidEventError("Cannot send"),
  "an error whose cause is no error": new Error("wrapped", { cause: 1 }),
  "several other errors": new AggregateError([new Error("a"), "b", undefined]),
  "an error that is its own cause": cyclic,
  "several errors that hold themselves": crowd,
  "an object that looks alike": { name: "ClientDisconnected", cause: left },
};

for (const [what, error] of Object.entries(OTHERS)) {
  Deno.test(`isDisconnect() is false for ${what}`, () => {
    assertEquals(isDisconnect(error), false);
  });
}

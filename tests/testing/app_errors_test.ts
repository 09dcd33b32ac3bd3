// What applications throw: no error goes unnoticed.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AppErrors, CallErrors } from "../../src/testing/_app_errors.ts";

Deno.test("AppErrors throws what was not raised", async () => {
  const errors = new AppErrors(true);
  const [known, unknown] = [new Error("known"), new Error("unknown")];
  const call = new CallErrors(errors);
  call.add(known);
  call.add(unknown);
  await assertRejects(() => call.raise(Promise.reject(known)), Error, "known");
  assertThrows(() => errors.throwRest(), Error, "unknown");
  assertEquals(errors.all, [known, unknown]);
});

Deno.test("AppErrors throws several errors as one", () => {
  const errors = new AppErrors(true);
  for (const message of ["a", "b"]) {
    new CallErrors(errors).add(new Error(message));
  }
  const error = assertThrows(() => errors.throwRest(), AggregateError);
  assertEquals(error.errors, errors.all);
});

Deno.test("AppErrors throws nothing where nothing is to be raised", async () => {
  const errors = new AppErrors(false);
  const call = new CallErrors(errors);
  call.add(new Error("kept"));
  errors.throwRest();
  assertEquals([call.current, await call.settled()], [undefined, undefined]);
  assertEquals(errors.all.length, 1);
});

Deno.test("CallErrors gives the first error of its call, once there is one", async () => {
  const call = new CallErrors(new AppErrors(true));
  assertEquals(call.current, undefined);
  const settled = call.settled();
  call.add("first");
  call.add("second");
  assertEquals(await settled, { error: "first" });
  assertEquals(call.current, { error: "first" });
});

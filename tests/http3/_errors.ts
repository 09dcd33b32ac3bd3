// The errors of HTTP/3, in tests.

import { assertEquals, assertThrows } from "@std/assert";
import { type ErrorName, Http3Error } from "../../src/http3/errors.ts";

/** Checks that something throws the error of the protocol with this name. */
export function assertHttp3Error(
  act: () => unknown,
  name: ErrorName,
  message?: string,
): void {
  const error = assertThrows(act, Http3Error);
  assertEquals(error.errorName, name, message);
}

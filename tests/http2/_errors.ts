// Asserts that a call gives the error of HTTP/2, with its code and its scope.

import { assertEquals, assertThrows } from "@std/assert";
import {
  ERROR_CODES,
  type ErrorName,
  Http2Error,
} from "../../src/http2/frames.ts";

/** On the connection, unless a stream is given. */
export function assertHttp2Error(
  call: () => unknown,
  code: ErrorName,
  streamId?: number,
  message?: string,
): void {
  const error = assertThrows(call, Http2Error, code, message);
  assertEquals(error.code, ERROR_CODES[code], message);
  assertEquals(error.streamId, streamId, message);
}

import { assertThrows } from "@std/assert";
import {
  checkHttp2Options,
  DEFAULT_HTTP2_OPTIONS,
  type Http2Options,
} from "../../src/http2/options.ts";

function check(options: Partial<Http2Options>): void {
  checkHttp2Options({ ...DEFAULT_HTTP2_OPTIONS, ...options });
}

Deno.test("Options that the protocol bounds are whole numbers in their range", () => {
  check({});
  check({ maxConcurrentStreams: 1, http2StreamWindow: 65_535 });
  check({ http2StreamWindow: 2 ** 31 - 1, http2BufferBytes: 2 ** 31 - 1 });
  for (const value of [0, -1, 1.5, NaN, Infinity, 2 ** 31]) {
    for (
      const name of [
        "maxConcurrentStreams",
        "http2StreamWindow",
        "http2BufferBytes",
      ]
    ) {
      assertThrows(() => check({ [name]: value }), RangeError, name);
    }
  }
  assertThrows(
    () => check({ http2StreamWindow: 65_534 }),
    RangeError,
    "Cannot set http2StreamWindow to 65534: it must be a whole number from 65535",
  );
});

import { assertThrows } from "@std/assert";
import {
  checkHttp3Options,
  DEFAULT_HTTP3_OPTIONS,
} from "../../src/http3/options.ts";

Deno.test("A client may have one request at least", () => {
  checkHttp3Options({ ...DEFAULT_HTTP3_OPTIONS, maxConcurrentStreams: 1 });
  for (const maxConcurrentStreams of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () =>
        checkHttp3Options({ ...DEFAULT_HTTP3_OPTIONS, maxConcurrentStreams }),
      RangeError,
      `Cannot set maxConcurrentStreams to ${maxConcurrentStreams}`,
    );
  }
});

// RFC 9114, section 7.2, table 1, and what was reserved because of HTTP/2.

import { assertEquals } from "@std/assert";
import { checkFrame } from "../../src/http3/frame_rules.ts";
import { assertHttp3Error } from "./_errors.ts";

const ALLOWED = {
  control: [0x03, 0x04, 0x07, 0x0d, 0xf0700],
  request: [0x00, 0x01],
};
const REFUSED = {
  control: [0x00, 0x01, 0x02, 0x05, 0x06, 0x08, 0x09],
  request: [
    ...[0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0d],
    ...[0xf0700, 0xf0701],
  ],
};

for (const stream of ["control", "request"] as const) {
  Deno.test(`Frames on a ${stream} stream`, () => {
    for (const type of ALLOWED[stream]) {
      assertEquals(checkFrame(stream, type), true);
    }
    for (const type of REFUSED[stream]) {
      assertHttp3Error(() => checkFrame(stream, type), "H3_FRAME_UNEXPECTED");
    }
    for (const type of [0x21, 0x40, 0x41, 0x1f * 1000 + 0x21, Infinity]) {
      assertEquals(checkFrame(stream, type), false);
    }
  });
}

Deno.test("The priority of a push has a wrong identifier, as there is no push", () => {
  assertHttp3Error(() => checkFrame("control", 0xf0701), "H3_ID_ERROR");
});

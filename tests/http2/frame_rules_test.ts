// The rules for each type of frame on the head alone, for every type there is.

import { assertEquals } from "@std/assert";
import {
  checkFrameHead,
  type FrameHead,
  headersPrefix,
  isKnown,
} from "../../src/http2/frame_rules.ts";
import { type ErrorName, Http2Error } from "../../src/http2/frames.ts";

/** The error of a head, by its name. */
function faultOf(head: Partial<FrameHead>): ErrorName | undefined {
  try {
    checkFrameHead({ type: 0, flags: 0, streamId: 0, length: 0, ...head });
  } catch (error) {
    if (!(error instanceof Http2Error)) throw error;
    assertEquals(error.streamId, undefined);
    return /\((\w+)\)$/.exec(error.message)?.[1] as ErrorName;
  }
}

/** For each type: whether stream 0 and others are allowed, and which lengths. */
const RULES: [
  type: number,
  on0: boolean,
  onStream: boolean,
  lengths: number[],
][] = [
  [0, false, true, [0, 1, 16_384]],
  [1, false, true, [0, 1, 16_384]],
  [2, false, true, [5]],
  [3, false, true, [4]],
  [4, true, false, [0, 6, 12, 16_380]],
  [6, true, false, [8]],
  [7, true, false, [8, 9, 16_384]],
  [8, true, true, [4]],
  [9, false, true, [0, 1, 16_384]],
  [16, true, false, [4, 5, 16_384]],
];
const TRIED = [0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16_380, 16_384];
/** Any length may come, or the fault is one of the stream, found later. */
const ANY_LENGTH = [0, 1, 2, 9];

for (const [type, on0, onStream, lengths] of RULES) {
  Deno.test(`A frame of type ${type} has its place and its lengths`, () => {
    for (const [streamId, allowed] of [[0, on0], [1, onStream]] as const) {
      for (const length of TRIED) {
        const right = ANY_LENGTH.includes(type) || lengths.includes(length) ||
          type === 7 && length > 8 || type === 16 && length > 4;
        const expected = !allowed
          ? "PROTOCOL_ERROR"
          : right
          ? undefined
          : "FRAME_SIZE_ERROR";
        assertEquals(
          faultOf({ type, streamId, length }),
          expected,
          `${length}`,
        );
      }
    }
  });
}

Deno.test("No frame is longer than 16 KiB", () => {
  for (let type = 0; type < 256; type++) {
    const fault = faultOf({ type, streamId: 1, length: 16_385 });
    assertEquals(fault, "FRAME_SIZE_ERROR");
  }
});

Deno.test("PUSH_PROMISE is not a client's; what is not known is accepted", () => {
  const known = RULES.map(([type]) => type);
  for (let type = 0; type < 256; type++) {
    if (known.includes(type)) continue;
    assertEquals(isKnown(type), type === 5);
    for (const streamId of [0, 1]) {
      const fault = faultOf({ type, streamId, length: 7, flags: 0xff });
      assertEquals(fault, type === 5 ? "PROTOCOL_ERROR" : undefined);
    }
  }
});

Deno.test("HEADERS have room for what their flags name", () => {
  for (const [flags, prefix] of [[0, 0], [8, 1], [0x20, 5], [0x28, 6]]) {
    assertEquals(headersPrefix(flags), prefix);
    const head = { type: 1, flags, streamId: 1 };
    assertEquals(faultOf({ ...head, length: prefix }), undefined);
    if (prefix === 0) continue;
    assertEquals(faultOf({ ...head, length: prefix - 1 }), "FRAME_SIZE_ERROR");
  }
});

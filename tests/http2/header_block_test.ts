// A block is one unit, whatever frames it is in; nothing comes between them; and
// it is bounded.

import { assert, assertEquals } from "@std/assert";
import { FRAME_TYPES } from "../../src/http2/frames.ts";
import { HeaderBlocks } from "../../src/http2/header_block.ts";
import { Random } from "../websocket/_random.ts";
import { assertHttp2Error } from "./_errors.ts";
import { frame } from "./_frames.ts";

const { HEADERS, CONTINUATION } = FRAME_TYPES;
const END_STREAM = 1;
const END_HEADERS = 4;

/** Adds frames that belong to blocks; the content of the last block. */
function add(blocks: HeaderBlocks, frames: ReturnType<typeof frame>[]) {
  let last;
  for (const one of frames) {
    assert(blocks.owns(one));
    last = blocks.add(one);
  }
  if (last === undefined) return undefined;
  const { bytes, start, end, ...head } = last;
  return { ...head, content: [...bytes.subarray(start, end)] };
}

Deno.test("A block in one frame is not copied", () => {
  const blocks = new HeaderBlocks(100);
  const headers = frame(HEADERS, END_HEADERS | END_STREAM, 1, [1, 2]);
  assert(blocks.owns(headers));
  const block = blocks.add(headers);
  assertEquals(block?.bytes, headers.bytes);
  assertEquals([block?.streamId, block?.endStream], [1, true]);
  assertEquals(blocks.open, undefined);
});

Deno.test("A block is the same in whatever frames it is", () => {
  const random = new Random(1);
  for (let i = 0; i < 300; i++) {
    const content = random.bytes(random.integer(0, 300));
    const parts = random.cut(content, random.integer(1, 9));
    const endStream = random.chance(0.5);
    const frames = parts.map((part, at) =>
      frame(
        at === 0 ? HEADERS : CONTINUATION,
        (at === 0 && endStream ? END_STREAM : 0) |
          (at === parts.length - 1 ? END_HEADERS : 0),
        3,
        part,
      )
    );
    const blocks = new HeaderBlocks(300);
    assertEquals(add(blocks, frames), {
      streamId: 3,
      endStream,
      selfDependent: false,
      content: [...content],
    });
    assertEquals(blocks.open, undefined);
  }
});

Deno.test("END_STREAM of HEADERS counts, that bit of CONTINUATION does not", () => {
  const blocks = new HeaderBlocks(100);
  const seen = add(blocks, [
    frame(HEADERS, 0, 1, [1]),
    frame(CONTINUATION, END_HEADERS | END_STREAM, 1, [2]),
  ]);
  assertEquals([seen?.endStream, seen?.content], [false, [1, 2]]);
});

Deno.test("No frame but its CONTINUATION comes within a block", () => {
  for (let type = 0; type < 256; type++) {
    for (const streamId of [0, 1, 3]) {
      const blocks = new HeaderBlocks(100);
      add(blocks, [frame(HEADERS, 0, 1, [1])]);
      assertEquals(blocks.open, 1);
      const next = frame(type, END_HEADERS, streamId);
      if (type === CONTINUATION && streamId === 1) assert(blocks.owns(next));
      else assertHttp2Error(() => blocks.owns(next), "PROTOCOL_ERROR");
    }
  }
});

Deno.test("Outside a block, all frames may come but CONTINUATION", () => {
  const blocks = new HeaderBlocks(100);
  for (let type = 0; type < 256; type++) {
    const next = frame(type, 0, 1);
    if (type !== CONTINUATION) {
      assertEquals(blocks.owns(next), type === HEADERS);
    } else assertHttp2Error(() => blocks.owns(next), "PROTOCOL_ERROR");
  }
});

Deno.test("A block above its limit is ENHANCE_YOUR_CALM", () => {
  for (const sizes of [[101], [50, 51], [0, 100, 1]]) {
    const blocks = new HeaderBlocks(100);
    const frames = sizes.map((size, at) =>
      frame(at === 0 ? HEADERS : CONTINUATION, 0, 1, new Uint8Array(size))
    );
    const last = frames.pop()!;
    add(blocks, frames);
    assertHttp2Error(() => blocks.add(last), "ENHANCE_YOUR_CALM");
  }
});

Deno.test("The ninth CONTINUATION is ENHANCE_YOUR_CALM, empty ones too", () => {
  const blocks = new HeaderBlocks(100);
  add(blocks, [frame(HEADERS, 0, 1, [1])]);
  for (let i = 0; i < 8; i++) add(blocks, [frame(CONTINUATION, 0, 1)]);
  const ninth = frame(CONTINUATION, END_HEADERS, 1);
  assertHttp2Error(() => blocks.add(ninth), "ENHANCE_YOUR_CALM");
});

Deno.test("Each block may have 8 CONTINUATIONs", () => {
  const blocks = new HeaderBlocks(100);
  for (let i = 0; i < 3; i++) {
    const seen = add(blocks, [
      frame(HEADERS, 0, 1),
      ...Array.from({ length: 7 }, () => frame(CONTINUATION, 0, 1, [7])),
      frame(CONTINUATION, END_HEADERS, 1, [9]),
    ]);
    assertEquals(seen?.content, [7, 7, 7, 7, 7, 7, 7, 9]);
  }
});

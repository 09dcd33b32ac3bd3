// What is written is what a reader reads; frames are no larger than 16 KiB.

import { assertEquals } from "@std/assert";
import { FrameWriter } from "../../src/http2/frame_writer.ts";
import { FRAME_TYPES } from "../../src/http2/frames.ts";
import { concat, read, uint32, wire } from "./_frames.ts";

const { DATA, HEADERS, CONTINUATION } = FRAME_TYPES;

/** What calls of a writer append. */
function written(write: (writer: FrameWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  write(new FrameWriter({ bytes: (bytes) => parts.push(bytes.slice()) }));
  return concat(parts);
}

const EIGHT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const ONE = Uint8Array.of(9);

const FRAMES: [string, (writer: FrameWriter) => void, Uint8Array][] = [
  ["data", (w) => w.data(1, ONE, false), wire(0, 0, 1, [9])],
  ["last data", (w) => w.data(1, ONE, true), wire(0, 1, 1, [9])],
  [
    "an empty end",
    (w) => w.data(0x7fff_ffff, new Uint8Array(0), true),
    wire(0, 1, 0x7fff_ffff),
  ],
  ["headers", (w) => w.headers(3, ONE, false), wire(1, 4, 3, [9])],
  ["last headers", (w) => w.headers(3, ONE, true), wire(1, 5, 3, [9])],
  ["rstStream", (w) => w.rstStream(3, 8), wire(3, 0, 3, uint32(8))],
  [
    "settings",
    (w) => w.settings([[3, 100], [0x102, 0xffff_ffff]]),
    wire(4, 0, 0, [0, 3, 0, 0, 0, 100, 1, 2, 255, 255, 255, 255]),
  ],
  ["settingsAck", (w) => w.settingsAck(), wire(4, 1, 0)],
  ["ping", (w) => w.ping(EIGHT, false), wire(6, 0, 0, EIGHT)],
  ["ping ack", (w) => w.ping(EIGHT, true), wire(6, 1, 0, EIGHT)],
  [
    "goAway",
    (w) => w.goAway(0x7fff_ffff, 11),
    wire(7, 0, 0, [...uint32(0x7fff_ffff), ...uint32(11)]),
  ],
  [
    "goAway with text",
    (w) => w.goAway(5, 1, "no"),
    wire(7, 0, 0, [...uint32(5), ...uint32(1), 110, 111]),
  ],
  [
    "windowUpdate",
    (w) => w.windowUpdate(0, 0x7fff_ffff),
    wire(8, 0, 0, uint32(0x7fff_ffff)),
  ],
];

for (const [what, write, expected] of FRAMES) {
  Deno.test(`A frame is written: ${what}`, () => {
    assertEquals(written(write), expected);
  });
}

for (const size of [16_384, 16_385, 32_768, 40_000]) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  const sizes = Array.from(
    { length: Math.ceil(size / 16_384) },
    (_, i) => Math.min(16_384, size - i * 16_384),
  );

  Deno.test(`${size} bytes of data are in ${sizes.length} frames`, () => {
    const seen = read([written((w) => w.data(1, bytes, true))])
      .filter((one) => "type" in one);
    assertEquals(seen.map(({ length }) => length), sizes);
    assertEquals(seen.map(({ type }) => type), sizes.map(() => DATA));
    assertEquals(
      seen.map(({ flags }) => flags & 1).lastIndexOf(0),
      sizes.length - 2,
    );
    assertEquals(seen.flatMap(({ content }) => content), [...bytes]);
  });

  Deno.test(`A block of ${size} bytes is in ${sizes.length} frames`, () => {
    const seen = read([written((w) => w.headers(1, bytes, true))])
      .filter((one) => "type" in one);
    const last = sizes.length - 1;
    assertEquals(
      seen.map(({ type, flags }) => [type, flags]),
      sizes.map((_, i) => [
        i === 0 ? HEADERS : CONTINUATION,
        (i === 0 ? 1 : 0) | (i === last ? 4 : 0),
      ]),
    );
    assertEquals(seen.flatMap(({ content }) => content), [...bytes]);
  });
}

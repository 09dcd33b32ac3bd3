// Bytes become the same frames however they are cut; every rule that a frame can
// break by itself has its code; nothing but the one error class leaves.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FrameReader } from "../../src/http2/frame_reader.ts";
import { ERROR_CODES, FLAGS, FRAME_TYPES } from "../../src/http2/frames.ts";
import { readHttp2Data } from "../_corpora.ts";
import { deliveries, Random } from "../websocket/_random.ts";
import { concat, PREFACE, read, type Seen, uint32, wire } from "./_frames.ts";

const {
  DATA,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  PUSH_PROMISE,
  PING,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION,
  PRIORITY_UPDATE,
} = FRAME_TYPES;
const { PADDED } = FLAGS;
const { PROTOCOL_ERROR, FRAME_SIZE_ERROR } = ERROR_CODES;
const UNKNOWN = 0xbe;
const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];
/** Exclusive dependency on stream 3, and a weight. */
const ON_3 = [...uint32(0x8000_0003), 15];

function dataOn(streamId: number, length: number): Uint8Array {
  return wire(DATA, 0, streamId, new Uint8Array(length).fill(7));
}

const VALID: [what: string, bytes: Uint8Array, content: number[]][] = [
  ["DATA", wire(DATA, 1, 1, [1, 2]), [1, 2]],
  ["DATA without content", wire(DATA, 0, 1), []],
  ["DATA with padding", wire(DATA, PADDED, 1, [2, 9, 0, 0]), [9]],
  ["DATA of padding only", wire(DATA, PADDED, 1, [2, 0, 0]), []],
  ["DATA with padding of length 0", wire(DATA, PADDED, 1, [0, 9]), [9]],
  ["DATA with undefined flags", wire(DATA, 0xf6 & ~PADDED, 1, [1]), [1]],
  ["DATA with the reserved bit", wire(DATA, 0, 0x8000_0001, [1]), [1]],
  ["DATA of 16 KiB", dataOn(1, 16_384), Array(16_384).fill(7)],
  ["HEADERS", wire(HEADERS, 4, 1, [1, 2]), [1, 2]],
  ["HEADERS without content", wire(HEADERS, 4, 1), []],
  ["HEADERS with padding", wire(HEADERS, 0xc, 1, [1, 9, 0]), [9]],
  ["HEADERS with priority", wire(HEADERS, 0x24, 1, [...ON_3, 9]), [9]],
  ["HEADERS with both", wire(HEADERS, 0x2c, 1, [1, ...ON_3, 9, 0]), [9]],
  ["HEADERS of both only", wire(HEADERS, 0x2c, 1, [1, ...ON_3, 0]), []],
  ["PRIORITY", wire(PRIORITY, 0, 1, ON_3), ON_3],
  ["RST_STREAM", wire(RST_STREAM, 0, 1, uint32(8)), uint32(8)],
  ["SETTINGS", wire(SETTINGS, 0, 0, [0, 1, 0, 0, 0, 9]), [0, 1, 0, 0, 0, 9]],
  ["SETTINGS without parameters", wire(SETTINGS, 0, 0), []],
  ["SETTINGS as acknowledgment", wire(SETTINGS, 1, 0), []],
  ["PING", wire(PING, 0, 0, EIGHT), EIGHT],
  ["GOAWAY", wire(GOAWAY, 0, 0, EIGHT), EIGHT],
  ["GOAWAY with debug data", wire(GOAWAY, 0, 0, [...EIGHT, 9]), [...EIGHT, 9]],
  ["WINDOW_UPDATE", wire(WINDOW_UPDATE, 0, 0, uint32(1)), uint32(1)],
  [
    "WINDOW_UPDATE of a stream",
    wire(WINDOW_UPDATE, 0, 5, uint32(0x7fff_ffff)),
    uint32(0x7fff_ffff),
  ],
  ["CONTINUATION", wire(CONTINUATION, 4, 1, [1]), [1]],
  ["CONTINUATION without content", wire(CONTINUATION, 4, 1), []],
  [
    "PRIORITY_UPDATE",
    wire(PRIORITY_UPDATE, 0, 0, [...uint32(1), 117]),
    [...uint32(1), 117],
  ],
  ["an unknown frame, of no content", wire(UNKNOWN, 0xff, 1), []],
  [
    "an unknown frame, whose content is dropped",
    wire(UNKNOWN, 0, 0, EIGHT),
    [],
  ],
];

for (const [what, bytes, content] of VALID) {
  Deno.test(`A frame is read: ${what}`, () => {
    const [length, flags] = [bytes.length - 9, bytes[4]];
    const streamId = new DataView(bytes.buffer).getUint32(5) & 0x7fff_ffff;
    const type = bytes[3];
    const selfDependent = false;
    const seen = { type, flags, streamId, length, content, selfDependent };
    assertEquals(read([bytes, bytes]), [seen, seen]);
  });
}

const INVALID: [what: string, bytes: Uint8Array, code: number, on?: number][] =
  [
    ["DATA on stream 0", wire(DATA, 0, 0, [1]), PROTOCOL_ERROR],
    ["DATA padded and empty", wire(DATA, PADDED, 1), PROTOCOL_ERROR],
    ["DATA, all padding", wire(DATA, PADDED, 1, [3, 0, 0]), PROTOCOL_ERROR],
    ["HEADERS on stream 0", wire(HEADERS, 4, 0, [1]), PROTOCOL_ERROR],
    ["HEADERS padded and empty", wire(HEADERS, 0xc, 1), FRAME_SIZE_ERROR],
    ["HEADERS, all padding", wire(HEADERS, 0xc, 1, [2, 0]), PROTOCOL_ERROR],
    [
      "HEADERS, too short",
      wire(HEADERS, 0x24, 1, [0, 0, 0, 3]),
      FRAME_SIZE_ERROR,
    ],
    [
      "HEADERS, too short for padding and priority",
      wire(HEADERS, 0x2c, 1, [0, 0, 0, 0, 3]),
      FRAME_SIZE_ERROR,
    ],
    [
      "HEADERS, padding over priority",
      wire(HEADERS, 0x2c, 1, [1, ...ON_3]),
      PROTOCOL_ERROR,
    ],
    ["PRIORITY on stream 0", wire(PRIORITY, 0, 0, ON_3), PROTOCOL_ERROR],
    [
      "PRIORITY of 4 bytes",
      wire(PRIORITY, 0, 1, uint32(3)),
      FRAME_SIZE_ERROR,
      1,
    ],
    ["PRIORITY of 6", wire(PRIORITY, 0, 1, [...ON_3, 0]), FRAME_SIZE_ERROR, 1],
    ["PRIORITY on itself", wire(PRIORITY, 0, 3, ON_3), PROTOCOL_ERROR, 3],
    [
      "RST_STREAM on stream 0",
      wire(RST_STREAM, 0, 0, [0, 0, 0, 8]),
      PROTOCOL_ERROR,
    ],
    [
      "RST_STREAM of 3 bytes",
      wire(RST_STREAM, 0, 1, [0, 0, 8]),
      FRAME_SIZE_ERROR,
    ],
    [
      "RST_STREAM of 5",
      wire(RST_STREAM, 0, 1, [0, 0, 0, 0, 8]),
      FRAME_SIZE_ERROR,
    ],
    ["SETTINGS on a stream", wire(SETTINGS, 0, 1), PROTOCOL_ERROR],
    [
      "SETTINGS of 5 bytes",
      wire(SETTINGS, 0, 0, [0, 1, 0, 0, 0]),
      FRAME_SIZE_ERROR,
    ],
    [
      "SETTINGS with an acknowledgment",
      wire(SETTINGS, 1, 0, [0, 1, 0, 0, 0, 0]),
      FRAME_SIZE_ERROR,
    ],
    [
      "PUSH_PROMISE",
      wire(PUSH_PROMISE, 4, 1, [0, 0, 0, 2, 0]),
      PROTOCOL_ERROR,
    ],
    ["PING on a stream", wire(PING, 0, 1, EIGHT), PROTOCOL_ERROR],
    ["PING of 7 bytes", wire(PING, 0, 0, EIGHT.slice(1)), FRAME_SIZE_ERROR],
    ["PING of 9", wire(PING, 1, 0, [...EIGHT, 9]), FRAME_SIZE_ERROR],
    ["GOAWAY on a stream", wire(GOAWAY, 0, 1, EIGHT), PROTOCOL_ERROR],
    ["GOAWAY of 7 bytes", wire(GOAWAY, 0, 0, EIGHT.slice(1)), FRAME_SIZE_ERROR],
    [
      "WINDOW_UPDATE of 3",
      wire(WINDOW_UPDATE, 0, 1, [0, 0, 1]),
      FRAME_SIZE_ERROR,
    ],
    [
      "WINDOW_UPDATE of 5",
      wire(WINDOW_UPDATE, 0, 0, [0, 0, 0, 0, 1]),
      FRAME_SIZE_ERROR,
    ],
    [
      "WINDOW_UPDATE by 0, of the connection",
      wire(WINDOW_UPDATE, 0, 0, uint32(0x8000_0000)),
      PROTOCOL_ERROR,
    ],
    [
      "WINDOW_UPDATE by 0, of a stream",
      wire(WINDOW_UPDATE, 0, 7, uint32(0)),
      PROTOCOL_ERROR,
      7,
    ],
    ["CONTINUATION on stream 0", wire(CONTINUATION, 4, 0), PROTOCOL_ERROR],
    [
      "PRIORITY_UPDATE on a stream",
      wire(PRIORITY_UPDATE, 0, 1, uint32(1)),
      PROTOCOL_ERROR,
    ],
    [
      "PRIORITY_UPDATE of 3",
      wire(PRIORITY_UPDATE, 0, 0, [0, 0, 1]),
      FRAME_SIZE_ERROR,
    ],
    [
      "PRIORITY_UPDATE for stream 0",
      wire(PRIORITY_UPDATE, 0, 0, uint32(0)),
      PROTOCOL_ERROR,
    ],
    ["DATA of 16 KiB and 1 byte", dataOn(1, 16_385), FRAME_SIZE_ERROR],
    [
      "an unknown frame of 16 KiB and 1 byte",
      wire(UNKNOWN, 0, 0, new Uint8Array(16_385)),
      FRAME_SIZE_ERROR,
    ],
  ];

for (const [what, bytes, code, on] of INVALID) {
  Deno.test(`A frame is refused: ${what}`, () => {
    assertEquals(read([bytes]), [{ error: code, on }]);
    assertEquals(read(byByte(bytes)), [{ error: code, on }]);
  });
}

Deno.test("Frames are refused on their head alone", () => {
  const onHead = INVALID.filter(([what, , , on]) =>
    on === undefined &&
    !/all padding|over priority|by 0|for stream 0/.test(what)
  );
  assert(onHead.length > 20);
  for (const [what, bytes, code, on] of onHead) {
    const seen = read([bytes.subarray(0, 9)]);
    assertEquals(seen, [{ error: code, on }], what);
  }
});

Deno.test("After a stream error the next frame is read", () => {
  const ping = wire(PING, 0, 0, EIGHT);
  for (const [what, bytes, code, on] of INVALID) {
    if (on === undefined) continue;
    const [error, next] = read([concat([bytes, ping])]);
    assertEquals(error, { error: code, on }, what);
    assertEquals("type" in next && next.type, PING);
  }
});

Deno.test("HEADERS that depend on themselves are given, with a mark", () => {
  for (const extra of [[], [0]]) {
    const flags = 0x24 | (extra.length > 0 ? PADDED : 0);
    const [seen] = read([wire(HEADERS, flags, 3, [...extra, ...ON_3, 9])]);
    assert("content" in seen);
    assertEquals([seen.content, seen.selfDependent], [[9], true]);
  }
});

Deno.test("Frames are the same however they are cut", () => {
  const small = VALID.filter(([, bytes]) => bytes.length < 100);
  const bytes = concat(small.map(([, bytes]) => bytes));
  const whole = read([bytes]);
  assertEquals(whole.length, small.length);
  for (const { name, chunks } of deliveries(bytes)) {
    assertEquals(read(chunks), whole, name);
  }
});

Deno.test("Large frames are the same however they are cut", () => {
  const random = new Random(7);
  const bytes = concat([
    dataOn(1, 16_384),
    wire(UNKNOWN, 0, 0, new Uint8Array(16_000)),
    dataOn(3, 16_000),
    wire(PING, 0, 0, EIGHT),
    dataOn(1, 1),
  ]);
  const whole = read([bytes]);
  assertEquals(whole.length, 5);
  assertEquals(read(byByte(bytes)), whole);
  for (let i = 0; i < 100; i++) {
    assertEquals(read(random.cut(bytes, random.integer(2, 20))), whole);
  }
});

Deno.test("The preface comes first, then SETTINGS", () => {
  const bytes = concat([
    PREFACE,
    wire(SETTINGS, 0, 0),
    wire(PING, 0, 0, EIGHT),
  ]);
  for (const { name, chunks } of deliveries(bytes)) {
    const types = read(chunks, {}).map((seen) => "type" in seen && seen.type);
    assertEquals(types, [SETTINGS, PING], name);
  }
});

Deno.test("Another first byte, or another first frame, is a connection error", () => {
  const error: Seen = { error: PROTOCOL_ERROR, on: undefined };
  for (let at = 0; at < PREFACE.length; at++) {
    const bytes = PREFACE.slice();
    bytes[at] ^= 1;
    assertEquals(read([bytes.subarray(0, at + 1)], {}), [error]);
    assertEquals(read(byByte(bytes), {}), [error]);
  }
  for (const first of [wire(PING, 0, 0, EIGHT), wire(SETTINGS, 1, 0)]) {
    assertEquals(read([PREFACE, first], {}), [error]);
  }
  assertEquals(read([PREFACE, wire(UNKNOWN, 0, 0, EIGHT)], {}), [error]);
});

Deno.test("A reader shows whether something has begun", () => {
  const reader = new FrameReader();
  assert(!reader.midFrame);
  const bytes = concat([
    PREFACE,
    wire(SETTINGS, 0, 0),
    wire(UNKNOWN, 0, 0, [1]),
  ]);
  for (const [at, byte] of bytes.entries()) {
    reader.push(Uint8Array.of(byte));
    while (reader.next() !== undefined);
    const complete = [24, 33, 43].includes(at + 1);
    assertEquals(reader.midFrame, !complete, `after byte ${at}`);
  }
});

Deno.test("Bytes are not added before the last ones were read", () => {
  const reader = new FrameReader({ preface: false });
  reader.push(wire(PING, 0, 0, EIGHT));
  assertThrows(() => reader.push(new Uint8Array(1)), Error, "are unread");
});

Deno.test("What a frame holds is not copied if it came in one chunk", () => {
  const reader = new FrameReader({ preface: false });
  const chunk = concat([dataOn(1, 3), dataOn(1, 4)]);
  reader.push(chunk);
  assert(reader.next()?.bytes === chunk);
  assert(reader.next()?.bytes === chunk);
});

Deno.test("Any bytes give frames or the one error", () => {
  const random = new Random(42);
  const samples = [...VALID, ...INVALID].map(([, bytes]) => bytes);
  for (let i = 0; i < 2000; i++) {
    const bytes = concat(
      Array.from(
        { length: random.integer(1, 8) },
        () => mutated(random, samples),
      ),
    );
    const whole = read([bytes]);
    assertEquals(read(random.cut(bytes, random.integer(2, 9))), whole, `${i}`);
  }
});

/** A sample, or noise, with some of its bytes changed. */
function mutated(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.1)) return random.bytes(random.integer(0, 40));
  const bytes = random.pick(samples).slice(0, 500);
  if (random.chance(0.5)) return bytes;
  bytes[random.integer(0, Math.min(8, bytes.length - 1))] = random.integer(
    0,
    255,
  );
  return bytes;
}

function* byByte(bytes: Uint8Array): Generator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte);
}

interface FrameCase {
  readonly file: string;
  readonly wire: string;
  readonly frame: {
    readonly length: number;
    readonly flags: number;
    readonly stream_identifier: number;
    readonly type: number;
    readonly frame_payload: Record<string, unknown>;
  } | null;
  readonly error: readonly number[] | null;
}

const samples = readHttp2Data<{ cases: FrameCase[] }>("frames");
Deno.test({
  name: "Sample frames of another project give their frame, or their error" +
    ("absent" in samples ? ` (skipped: ${samples.absent})` : ""),
  ignore: "absent" in samples,
  fn() {
    if ("absent" in samples) return;
    assertEquals(samples.cases.length, 34);
    for (const one of samples.cases) checkSample(one);
  },
});

function checkSample({ file, wire, frame, error }: FrameCase): void {
  for (const { name, chunks } of deliveries(Uint8Array.fromHex(wire))) {
    const [seen] = read(chunks);
    const what = `${file}, ${name}`;
    if ("error" in seen) {
      // A client must not send PUSH_PROMISE, not even a good one.
      const codes = frame?.type === PUSH_PROMISE ? [PROTOCOL_ERROR] : error;
      assert(codes?.includes(seen.error), what);
      continue;
    }
    assertEquals(seen.type, frame?.type, what);
    assertEquals(seen.flags, frame?.flags, what);
    assertEquals(seen.streamId, frame?.stream_identifier, what);
    assertEquals(seen.length, frame?.length, what);
    const { data, header_block_fragment } = frame?.frame_payload ?? {};
    const content = data ?? header_block_fragment;
    if (content === undefined) continue;
    assertEquals(String.fromCharCode(...seen.content), content, what);
  }
}

const hostile = readHttp2Data<{ streams: { file: string; base64: string }[] }>(
  "client_streams",
);
Deno.test({
  name: "Hostile client streams give frames or the one error" +
    ("absent" in hostile ? ` (skipped: ${hostile.absent})` : ""),
  ignore: "absent" in hostile,
  fn() {
    if ("absent" in hostile) return;
    const random = new Random(3);
    for (const { file, base64 } of hostile.streams) {
      const bytes = Uint8Array.fromBase64(base64);
      const whole = read([bytes], {});
      assertEquals(read(byByte(bytes), {}), whole, file);
      for (let i = 0; i < 20; i++) {
        assertEquals(read(random.cut(bytes, 5), {}), whole, file);
        const changed = bytes.slice();
        changed[random.integer(24, bytes.length - 1)] = random.integer(0, 255);
        const seen = read([changed], {});
        assertEquals(read(random.cut(changed, 5), {}), seen, file);
      }
    }
  },
});

// What a client may say of its connection, whole and in pieces.

import { assertEquals } from "@std/assert";
import type { PriorityUpdate } from "../../src/http/priority.ts";
import { Budgets } from "../../src/http3/budgets.ts";
import { ControlStream } from "../../src/http3/control_stream.ts";
import type { ErrorName } from "../../src/http3/errors.ts";
import type { ClientSettings } from "../../src/http3/settings.ts";
import { encodeVarints } from "../../src/http3/varint.ts";
import { bytes, Random } from "../_feeding.ts";
import { assertHttp3Error } from "./_errors.ts";
import { concat, frame, numbers } from "./_frames.ts";

type Seen = ClientSettings | PriorityUpdate;

function controlStream(): { control: ControlStream; seen: Seen[] } {
  const seen: Seen[] = [];
  const control = new ControlStream({
    settingsCame: (settings) => seen.push(settings),
    priorityUpdated: (update) => seen.push(update),
    streamLimit: 400,
  }, new Budgets());
  return { control, seen };
}

const SETTINGS = numbers(0x04, 0x06, 1000);

function priority(streamId: number, value: string): Uint8Array {
  return frame(0xf0700, concat(encodeVarints(streamId), bytes(value)));
}

const WIRE = concat(
  SETTINGS,
  frame(0x21, bytes("grease")),
  numbers(0x0d, 0),
  numbers(0x0d, 7),
  priority(396, "u=1"),
  numbers(0x07, 8),
  numbers(0x07, 8),
  numbers(0x07, 0),
);
const SEEN: Seen[] = [
  { maxFieldSectionSize: 1000 },
  { streamId: 396, priority: { urgency: 1, incremental: false } },
];

Deno.test("A control stream is read, split anywhere", () => {
  for (let at = 0; at <= WIRE.length; at++) {
    const { control, seen } = controlStream();
    control.receive(WIRE.subarray(0, at));
    control.receive(WIRE.subarray(at));
    assertEquals(seen, SEEN, `split at ${at}`);
  }
});

const REFUSED: [what: string, error: ErrorName, ...frames: Uint8Array[]][] = [
  ["another frame first", "H3_MISSING_SETTINGS", numbers(0x07, 0)],
  ["an unknown frame first", "H3_MISSING_SETTINGS", numbers(0x21, 0)],
  ["SETTINGS twice", "H3_FRAME_UNEXPECTED", SETTINGS, SETTINGS],
  ["DATA", "H3_FRAME_UNEXPECTED", SETTINGS, frame(0x00, bytes(""))],
  ["HEADERS", "H3_FRAME_UNEXPECTED", SETTINGS, frame(0x01, bytes(""))],
  ["PING of HTTP/2", "H3_FRAME_UNEXPECTED", SETTINGS, numbers(0x06)],
  ["CANCEL_PUSH", "H3_ID_ERROR", SETTINGS, numbers(0x03, 0)],
  ["an empty CANCEL_PUSH", "H3_FRAME_ERROR", SETTINGS, numbers(0x03)],
  [
    "a GOAWAY that rises",
    "H3_ID_ERROR",
    SETTINGS,
    numbers(0x07, 4),
    numbers(0x07, 8),
  ],
  ["a GOAWAY that is too long", "H3_FRAME_ERROR", SETTINGS, numbers(7, 0, 0)],
  [
    "a MAX_PUSH_ID that falls",
    "H3_ID_ERROR",
    SETTINGS,
    numbers(0x0d, 4),
    numbers(0x0d, 3),
  ],
  ["a priority of no request", "H3_ID_ERROR", SETTINGS, priority(2, "")],
  ["a priority past the limit", "H3_ID_ERROR", SETTINGS, priority(400, "")],
  ["a priority of a push", "H3_ID_ERROR", SETTINGS, numbers(0xf0701, 0)],
  ["a priority that is cut", "H3_FRAME_ERROR", SETTINGS, numbers(0xf0700)],
  [
    "a frame that is too large",
    "H3_EXCESSIVE_LOAD",
    SETTINGS,
    encodeVarints(0xf0700, 16 * 1024 + 1),
  ],
  [
    "SETTINGS that are too large",
    "H3_EXCESSIVE_LOAD",
    encodeVarints(0x04, 16 * 1024 + 1),
  ],
];

for (const [what, error, ...frames] of REFUSED) {
  Deno.test(`On a control stream, ${what} is ${error}`, () => {
    const wire = concat(...frames);
    assertHttp3Error(() => controlStream().control.receive(wire), error);
    const { control } = controlStream();
    assertHttp3Error(() => {
      for (const byte of wire) control.receive(Uint8Array.of(byte));
    }, error);
  });
}

Deno.test("Frames that carry nothing have a budget", () => {
  const { control } = controlStream();
  control.receive(SETTINGS);
  const useless = numbers(0x21);
  assertHttp3Error(() => {
    for (let i = 0; i < 1001; i++) control.receive(useless);
  }, "H3_EXCESSIVE_LOAD");
});

Deno.test("Any bytes are read, or are an error of the protocol", () => {
  const random = new Random(5);
  for (let i = 0; i < 5000; i++) {
    const { control } = controlStream();
    control.receive(SETTINGS);
    try {
      control.receive(bytes(random.bytes(50)));
    } catch (error) {
      assertEquals((error as Error).name, "Http3Error");
    }
  }
});

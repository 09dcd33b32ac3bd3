// PINGs that let a client acknowledge what it reads, where writes are delayed.

import { assert, assertEquals } from "@std/assert";
import { Acknowledgments } from "../../src/http2/acknowledgments.ts";
import { Budgets } from "../../src/http2/budgets.ts";
import { FrameWriter } from "../../src/http2/frame_writer.ts";
import { FRAME_TYPES } from "../../src/http2/frames.ts";
import { MAX_CONTROL_FRAMES } from "../../src/http2/limits.ts";
import { Output } from "../../src/streams/output.ts";
import { concat, read } from "./_frames.ts";

const RECORD_BYTES = 16 * 1024;
const PING_BYTES = 17;

/** What is collected of a connection with one open stream. */
function createWire() {
  const writes: Uint8Array[] = [];
  const output = new Output(
    { write: (bytes) => Promise.resolve(void writes.push(bytes.slice())) },
    (error) => {
      throw error;
    },
    () => acknowledgments.beforeWrite(),
  );
  const wire = {
    output,
    frames: new FrameWriter(output),
    budgets: new Budgets(),
    streams: 1,
    clientEnded: false,
  };
  const acknowledgments = new Acknowledgments(wire);
  const data = (bytes: number): void => {
    acknowledgments.beforeContent(bytes);
    wire.frames.data(1, new Uint8Array(bytes), false);
  };
  return { wire, data, writes };
}

/** The types of the frames in some writes. */
function typesOf(writes: readonly Uint8Array[]): number[] {
  return read([concat(writes)])
    .map((frame) => "type" in frame ? frame.type : NaN);
}

const { DATA, PING } = FRAME_TYPES;

Deno.test("A write that others may follow ends with a PING", () => {
  const { wire, data, writes } = createWire();
  data(10);
  data(10);
  wire.output.send();
  assertEquals(typesOf(writes), [DATA, DATA, PING]);
});

Deno.test("A write that nothing follows has no PING", () => {
  const { wire, data, writes } = createWire();
  data(10);
  wire.streams = 0;
  wire.output.send();
  assertEquals(typesOf(writes), [DATA]);
});

Deno.test("A client that sends nothing more gets no PING", () => {
  const { wire, data, writes } = createWire();
  wire.clientEnded = true;
  data(10);
  wire.output.send();
  assertEquals(typesOf(writes), [DATA]);
});

Deno.test("Each record of a large write has a whole PING", async () => {
  for (const first of [0, 1, 5000, RECORD_BYTES - 10, RECORD_BYTES]) {
    const { wire, data, writes } = createWire();
    if (first > 0) data(first);
    for (let i = 0; i < 4; i++) data(RECORD_BYTES);
    await wire.output.flush();
    const content = concat(writes);
    const pings = pingsIn(content);
    for (let at = 0; at < content.length; at += RECORD_BYTES) {
      const end = Math.min(at + RECORD_BYTES, content.length);
      assert(
        pings.some((ping) => ping >= at && ping + PING_BYTES <= end),
        `Of ${content.length} bytes, no PING is in ${at} to ${end}`,
      );
    }
  }
});

/** Where PINGs begin. */
function pingsIn(content: Uint8Array): number[] {
  const pings: number[] = [];
  const view = new DataView(content.buffer);
  for (let at = 0; at < content.length;) {
    if (content[at + 3] === PING) pings.push(at);
    at += 9 + (view.getUint32(at) >>> 8);
  }
  return pings;
}

Deno.test("The answers of a client are no abuse", async () => {
  const { wire, data } = createWire();
  for (let i = 0; i < 2 * MAX_CONTROL_FRAMES; i++) {
    data(1);
    await wire.output.flush();
    wire.budgets.controlFrame();
  }
});

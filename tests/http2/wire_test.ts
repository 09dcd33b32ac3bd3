// The way out of a connection: what leaves when, and in how many writes.

import { assert, assertEquals } from "@std/assert";
import { Http2Wire, type WaitingStream } from "../../src/http2/wire.ts";
import { SendWindow } from "../../src/http2/flow_window.ts";
import { DEFAULT_PRIORITY } from "../../src/http/priority.ts";
import { settled } from "./_in_memory.ts";

/** A wire whose writes are collected, and held back until they are let through. */
function createWire() {
  const writes: number[] = [];
  let open: (() => void) | undefined;
  const wire = new Http2Wire({
    write: (bytes) => {
      writes.push(bytes.length);
      return new Promise((resolve) => open = resolve);
    },
  }, (error) => {
    throw error;
  });
  wire.window.grow(1e6);
  return { wire, writes, letThrough: () => open?.() };
}

Deno.test("Frames leave at once where no stream could add to them", () => {
  const { wire, writes } = createWire();
  wire.frames.settingsAck();
  wire.flushSoon();
  assertEquals(writes, [9]);
});

Deno.test("Frames of one turn leave together", async () => {
  const { wire, writes } = createWire();
  wire.streams = 1;
  wire.frames.settingsAck();
  wire.flushSoon();
  wire.frames.settingsAck();
  wire.flushSoon();
  assertEquals(writes, []);
  await settled();
  assertEquals(writes, [18]);
});

Deno.test("Content waits while much is not written, and is then scheduled", async () => {
  const { wire, writes, letThrough } = createWire();
  wire.streams = 1;
  const window = new SendWindow(1, 1e6);
  assert(wire.takes(window, 60_000));
  wire.data({ id: 1, window }, new Uint8Array(60_000), false);
  wire.flushSoon();
  assertEquals(wire.room(), undefined);
  assertEquals(writes.length, 1);
  wire.data({ id: 1, window }, new Uint8Array(40_000), false);
  assert(wire.room() !== undefined);
  assert(!wire.takes(window, 60_000));
  let taken = 0;
  const stream: WaitingStream = {
    id: 1,
    priority: DEFAULT_PRIORITY,
    window,
    get waiting() {
      return 60_000 - taken;
    },
    endIfStuck() {},
    sendTurn(bytes) {
      taken += bytes;
      wire.data(this, new Uint8Array(bytes), false);
    },
  };
  wire.schedule(stream);
  assertEquals(taken, 0);
  letThrough();
  await settled();
  assert(taken > 0);
  for (let i = 0; i < 9; i++) {
    letThrough();
    await settled();
  }
  assertEquals(taken, 60_000);
});

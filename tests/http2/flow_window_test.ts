// Windows count, never overflow, and are used in pieces worth sending; nobody
// waits for ever, whenever the client returns what it has read.

import { assert, assertEquals } from "@std/assert";
import {
  FlowWindow,
  ReceiveWindow,
  SendWindow,
} from "../../src/http2/flow_window.ts";
import { Random } from "../websocket/_random.ts";
import { assertHttp2Error } from "./_errors.ts";

const MAX = 2 ** 31 - 1;

Deno.test("A window begins with 65,535 bytes, and counts", () => {
  const window = new FlowWindow(1);
  window.consume(65_535);
  assertEquals(window.size, 0);
  window.consume(0);
  window.grow(10);
  window.consume(3);
  assertEquals(window.size, 7);
});

for (const streamId of [0, 7]) {
  const on = streamId || undefined;
  const whose = on === undefined ? "the connection" : "a stream";

  Deno.test(`More than the window of ${whose} is FLOW_CONTROL_ERROR`, () => {
    const window = new FlowWindow(streamId, 10);
    assertHttp2Error(() => window.consume(11), "FLOW_CONTROL_ERROR", on);
    assertEquals(window.size, 10);
  });

  Deno.test(`A window of ${whose} above 2³¹ − 1 is FLOW_CONTROL_ERROR`, () => {
    const window = new FlowWindow(streamId, 1);
    window.grow(MAX - 1);
    assertHttp2Error(() => window.grow(1), "FLOW_CONTROL_ERROR", on);
    assertHttp2Error(() => window.grow(MAX), "FLOW_CONTROL_ERROR", on);
    assertEquals(window.size, MAX);
  });
}

Deno.test("SETTINGS make a window negative, or too large for the connection", () => {
  const window = new FlowWindow(7, 100);
  window.consume(80);
  window.adjust(-100);
  assertEquals(window.size, -80);
  window.consume(0);
  assertHttp2Error(() => window.consume(1), "FLOW_CONTROL_ERROR", 7);
  window.grow(MAX);
  assertHttp2Error(() => window.adjust(81), "FLOW_CONTROL_ERROR");
  assertEquals(window.size, MAX - 80);
});

Deno.test("What fits is sent; nothing through a window of 0, or below", () => {
  const window = new SendWindow(1, 5000);
  assertEquals([window.sendable(10), window.sendable(6000)], [10, 5000]);
  window.consume(4900);
  assertEquals(window.sendable(6000), 100);
  window.consume(100);
  assertEquals([window.sendable(0), window.sendable(6000)], [0, 0]);
  window.adjust(-100);
  assertEquals(window.sendable(6000), 0);
});

Deno.test("A window that was used up is used again when a piece is worth it", () => {
  const window = new SendWindow(1, 65_535);
  window.consume(65_535);
  for (let i = 0; i < 1023; i++) {
    window.grow(1);
    assertEquals(window.sendable(5000), 0);
  }
  assertEquals(window.sendable(1000), 1000, "all that is wanted");
  window.grow(1);
  assertEquals(window.sendable(5000), 1024);
});

Deno.test("A window that SETTINGS raise from 0 is used", () => {
  const window = new SendWindow(1, 0);
  assertEquals(window.sendable(5), 0);
  window.adjust(3);
  assertEquals(window.sendable(5), 3);
});

Deno.test("No client that reads all waits for ever, whenever it returns credit", () => {
  const random = new Random(5);
  for (let i = 0; i < 500; i++) {
    const full = random.pick([1, 2, 7, 100, 1500, 16_384, 65_535, 300_000]);
    const returnsAt = Math.max(1, Math.ceil(full * random.next()));
    const window = new SendWindow(1, full);
    let read = 0;
    for (let left = 5 * full; left > 0;) {
      const wanted = Math.min(left, random.integer(1, 70_000));
      const sent = Math.min(window.sendable(wanted), 16_384);
      assert(sent > 0, `stuck: ${full}, ${returnsAt}, ${window.size}`);
      window.consume(sent);
      left -= sent;
      read += sent;
      if (read < returnsAt) continue;
      window.grow(read);
      read = 0;
    }
  }
});

Deno.test("Credit is returned when it is half of the window", () => {
  const window = new ReceiveWindow(1, 1000);
  window.consume(900);
  window.giveBack(499);
  assertEquals([window.takeUpdate(), window.credit], [0, 499]);
  window.giveBack(1);
  assertEquals([window.takeUpdate(), window.size], [500, 600]);
  assertEquals([window.takeUpdate(), window.credit], [0, 0]);
});

// What is known of a stream that is not there, with bounded memory.

import { assert, assertEquals } from "@std/assert";
import { StreamIds } from "../../src/http2/stream_ids.ts";
import { assertHttp2Error } from "./_errors.ts";

Deno.test("Streams that have not begun are idle, the even ones for good", () => {
  const ids = new StreamIds();
  assertEquals([1, 2, 7].map((id) => ids.stateOf(id)), [
    "idle",
    "idle",
    "idle",
  ]);
  ids.begin(1);
  ids.begin(3);
  const states = [1, 2, 3, 4, 5].map((id) => ids.stateOf(id));
  assertEquals(states, ["closed", "idle", "closed", "idle", "idle"]);
  assertEquals(ids.last, 3);
});

Deno.test("A stream must be odd, and above all before", () => {
  const ids = new StreamIds();
  ids.begin(5);
  for (const id of [2, 6, 5, 3, 1]) {
    assertHttp2Error(() => ids.begin(id), "PROTOCOL_ERROR");
  }
  ids.begin(7);
});

Deno.test("A stream that was skipped stays idle", () => {
  const ids = new StreamIds();
  ids.begin(3);
  ids.begin(9);
  const states = [1, 3, 5, 7, 9].map((id) => ids.stateOf(id));
  assertEquals(states, ["idle", "closed", "idle", "idle", "closed"]);
});

Deno.test("A leap to the last identifier costs no more than another", () => {
  const ids = new StreamIds();
  assert(!ids.exhausted);
  ids.begin(0x7fff_ffff);
  assert(ids.exhausted);
  assertEquals(ids.stateOf(1), "idle");
  assertEquals(ids.stateOf(2 * 128 - 1), "idle");
  assertEquals(ids.stateOf(2 * 128 + 1), "closed", "not remembered");
});

Deno.test("The last 128 streams that were reset are remembered", () => {
  const ids = new StreamIds();
  for (let i = 0; i < 200; i++) {
    ids.begin(4 * i + 1);
    ids.reset(4 * i + 1);
    ids.begin(4 * i + 3);
  }
  const resetAt = (i: number) => ids.stateOf(4 * i + 1);
  assertEquals([resetAt(199), resetAt(72)], ["reset", "reset"]);
  assertEquals([resetAt(71), resetAt(0)], ["forgotten", "forgotten"]);
  assertEquals(ids.stateOf(4 * 199 + 3), "closed");
  assertEquals(ids.stateOf(4 * 72 + 3), "closed");
});

// The extension `server.shutdown`: whose signal is aborted when.

import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type Ending,
  ShutdownNotices,
} from "../../src/asgi/shutdown_notice.ts";

/** A request that ends when it is told to. */
class Cycle implements Ending {
  ended = false;
  onEnd: (() => void) | undefined;

  end(): void {
    this.ended = true;
    this.onEnd?.();
  }
}

Deno.test("A signal that was looked at is aborted by the announcement", () => {
  const notices = new ShutdownNotices();
  const { signal } = notices.create(new Cycle());
  assertFalse(signal.aborted);
  notices.announce();
  assert(signal.aborted);
  assertEquals(signal.reason.name, "AbortError");
});

Deno.test("A signal that is looked at behind the announcement is aborted already", () => {
  const notices = new ShutdownNotices();
  const notice = notices.create(new Cycle());
  notices.announce();
  assert(notice.signal.aborted);
});

Deno.test("A notice has one signal", () => {
  const notice = new ShutdownNotices().create(new Cycle());
  assertEquals(notice.signal, notice.signal);
});

Deno.test("A request that is over is told nothing any more", () => {
  const notices = new ShutdownNotices();
  const cycle = new Cycle();
  const { signal } = notices.create(cycle);
  cycle.end();
  notices.announce();
  assertFalse(signal.aborted);
});

Deno.test("A request that was over before it looked is told nothing", () => {
  const notices = new ShutdownNotices();
  const cycle = new Cycle();
  const notice = notices.create(cycle);
  cycle.end();
  const { signal } = notice;
  notices.announce();
  assertFalse(signal.aborted);
});

Deno.test("Each request has a signal of its own", () => {
  const notices = new ShutdownNotices();
  const [one, other] = [
    notices.create(new Cycle()),
    notices.create(new Cycle()),
  ];
  assert(one.signal !== other.signal);
  notices.announce();
  assert(one.signal.aborted && other.signal.aborted);
});

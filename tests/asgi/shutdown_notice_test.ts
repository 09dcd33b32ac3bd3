// The extension `server.shutdown`: whose signal is aborted when.

import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type Ending,
  ShutdownNotices,
} from "../../src/asgi/shutdown_notice.ts";
import { settled } from "../_turns.ts";

/** A request that ends when the test says so. */
class Cycle implements Ending {
  readonly #over = Promise.withResolvers<void>();

  get over(): Promise<void> {
    return this.#over.promise;
  }

  end(): void {
    this.#over.resolve();
  }
}

Deno.test("A signal that is used is aborted by the announcement", () => {
  const notices = new ShutdownNotices();
  const { signal } = notices.create(new Cycle());
  assertFalse(signal.aborted);
  notices.announce();
  assert(signal.aborted);
  assertEquals(signal.reason.name, "AbortError");
});

Deno.test("A signal that is first used after the announcement is aborted already", () => {
  const notices = new ShutdownNotices();
  const notice = notices.create(new Cycle());
  notices.announce();
  assert(notice.signal.aborted);
});

Deno.test("A notice has one signal", () => {
  const notice = new ShutdownNotices().create(new Cycle());
  assertEquals(notice.signal, notice.signal);
});

Deno.test("The signal of a request that is over is not aborted", async () => {
  const notices = new ShutdownNotices();
  const cycle = new Cycle();
  const { signal } = notices.create(cycle);
  cycle.end();
  await settled();
  notices.announce();
  assertFalse(signal.aborted);
});

Deno.test("A signal that is first used when its request is over is not aborted", async () => {
  const notices = new ShutdownNotices();
  const cycle = new Cycle();
  const notice = notices.create(cycle);
  cycle.end();
  const { signal } = notice;
  await settled();
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

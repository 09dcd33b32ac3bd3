// Deadlines on a coarse clock: never too early, at most two ticks too late,
// once each; and the clock runs only while a deadline is watched. The clock's
// ticks are driven by hand, but for one test with real ones.

import { assert, assertEquals } from "@std/assert";
import { DeadlineClock } from "../../src/net/deadlines.ts";

const TICK_MS = 100;

/** The intervals and signals in place of the real ones; time passes by hand. */
class FakeIntervals implements Disposable {
  readonly #setInterval = globalThis.setInterval;
  readonly #clearInterval = globalThis.clearInterval;
  readonly #timeout = AbortSignal.timeout;
  readonly #unrefTimer = Deno.unrefTimer;
  readonly #running = new Map<number, Interval>();
  readonly #signals = new Map<AbortController, number>();
  /** Those that do not keep the process alive. */
  readonly unrefed = new Set<unknown>();
  now = 0;
  #lastId = 0;

  constructor() {
    globalThis.setInterval = ((fire: () => void, ms: number) => {
      this.#running.set(++this.#lastId, { fire, ms, due: this.now + ms });
      return this.#lastId;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = ((id: number) => {
      this.#running.delete(id);
    }) as unknown as typeof clearInterval;
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      this.#signals.set(controller, this.now + ms);
      return controller.signal;
    };
    Deno.unrefTimer = (id) => {
      this.unrefed.add(id);
    };
  }

  get running(): number {
    return this.#running.size;
  }

  /** Lets time pass, a millisecond at a time. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now++;
      for (const [controller, due] of this.#signals) {
        if (due === this.now) controller.abort();
      }
      for (const interval of this.#running.values()) {
        if (interval.due !== this.now) continue;
        interval.due += interval.ms;
        interval.fire();
      }
    }
  }

  [Symbol.dispose](): void {
    globalThis.setInterval = this.#setInterval;
    globalThis.clearInterval = this.#clearInterval;
    AbortSignal.timeout = this.#timeout;
    Deno.unrefTimer = this.#unrefTimer;
  }
}

interface Interval {
  readonly fire: () => void;
  readonly ms: number;
  due: number;
}

Deno.test("A deadline expires never too early, and at most two ticks too late", () => {
  for (const ms of [1, 50, 99, 100, 101, 250, 1000]) {
    for (let armedAt = 0; armedAt < 2 * TICK_MS; armedAt += 7) {
      using time = new FakeIntervals();
      using deadline = new DeadlineClock(TICK_MS).create();
      let expiredAt = -1;
      time.pass(armedAt);
      deadline.arm(ms, () => expiredAt = time.now);
      time.pass(ms + 3 * TICK_MS);
      const taken = expiredAt - armedAt;
      assert(taken >= ms, `${ms} ms from ${armedAt} took ${taken}`);
      assert(taken <= ms + 2 * TICK_MS, `${ms} ms took ${taken}`);
    }
  }
});

Deno.test("A deadline expires once", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  let count = 0;
  deadline.arm(TICK_MS, () => count++);
  time.pass(20 * TICK_MS);
  assertEquals(count, 1);
});

Deno.test("A deadline that was never armed does not expire", () => {
  using time = new FakeIntervals();
  using _deadline = new DeadlineClock(TICK_MS).create();
  time.pass(20 * TICK_MS);
  assertEquals(time.running, 1);
});

Deno.test("A deadline that is armed again counts from then, for its last callback alone", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  const expired: string[] = [];
  deadline.arm(5 * TICK_MS, () => expired.push("first"));
  time.pass(4 * TICK_MS);
  deadline.arm(5 * TICK_MS, () => expired.push("second"));
  time.pass(4 * TICK_MS);
  assertEquals(expired, []);
  time.pass(3 * TICK_MS);
  assertEquals(expired, ["second"]);
});

Deno.test("A deadline can be armed again for a shorter time", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  const expired: string[] = [];
  deadline.arm(50 * TICK_MS, () => expired.push("late"));
  deadline.arm(TICK_MS, () => expired.push("soon"));
  time.pass(100 * TICK_MS);
  assertEquals(expired, ["soon"]);
});

Deno.test("A deadline can be armed again when it has expired, from its callback too", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  const expired: number[] = [];
  function again(): void {
    expired.push(time.now);
    if (expired.length < 3) deadline.arm(TICK_MS, again);
  }
  deadline.arm(TICK_MS, again);
  time.pass(20 * TICK_MS);
  assertEquals(expired.length, 3);
  deadline.arm(TICK_MS, again);
  time.pass(20 * TICK_MS);
  assertEquals(expired.length, 4);
});

Deno.test("A deadline that was disarmed does not expire, and can be armed again", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  const expired: string[] = [];
  deadline.arm(TICK_MS, () => expired.push("first"));
  deadline.disarm();
  time.pass(10 * TICK_MS);
  assertEquals(expired, []);
  deadline.arm(TICK_MS, () => expired.push("second"));
  time.pass(10 * TICK_MS);
  assertEquals(expired, ["second"]);
});

Deno.test("A deadline of Infinity never expires", () => {
  using time = new FakeIntervals();
  using deadline = new DeadlineClock(TICK_MS).create();
  let count = 0;
  deadline.arm(Infinity, () => count++);
  time.pass(1000 * TICK_MS);
  assertEquals(count, 0);
});

Deno.test("A deadline that was disposed of does not expire, even if it is armed again", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  using _other = clock.create();
  const deadline = clock.create();
  let count = 0;
  deadline.arm(TICK_MS, () => count++);
  deadline[Symbol.dispose]();
  deadline[Symbol.dispose]();
  deadline.arm(TICK_MS, () => count++);
  time.pass(10 * TICK_MS);
  assertEquals(count, 0);
});

Deno.test("Deadlines expire independently of one another", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  const expired: string[] = [];
  using a = clock.create();
  using b = clock.create();
  using c = clock.create();
  a.arm(3 * TICK_MS, () => expired.push("a"));
  b.arm(TICK_MS, () => expired.push("b"));
  c.arm(2 * TICK_MS, () => expired.push("c"));
  c.disarm();
  time.pass(10 * TICK_MS);
  assertEquals(expired, ["b", "a"]);
});

Deno.test("A deadline may dispose of itself and of others when it expires", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  const [a, b, c] = [clock.create(), clock.create(), clock.create()];
  const expired: string[] = [];
  a.arm(TICK_MS, () => {
    expired.push("a");
    a[Symbol.dispose]();
    b[Symbol.dispose]();
  });
  b.arm(TICK_MS, () => expired.push("b"));
  c.arm(TICK_MS, () => {
    expired.push("c");
    c[Symbol.dispose]();
  });
  time.pass(10 * TICK_MS);
  assertEquals(expired, ["a", "c"]);
  assertEquals(time.running, 0);
});

Deno.test("A deadline is watched, whichever others were disposed of, and how often", () => {
  for (const order of ["abc", "cba", "bac", "aabbcc", "bb", "aca", ""]) {
    using time = new FakeIntervals();
    const clock = new DeadlineClock(TICK_MS);
    const expired: string[] = [];
    const deadlines = new Map(
      Array.from("abcd", (name) => [name, clock.create()] as const),
    );
    for (const [name, deadline] of deadlines) {
      deadline.arm(TICK_MS, () => expired.push(name));
    }
    for (const name of order) deadlines.get(name)![Symbol.dispose]();
    const left = Array.from("abcd").filter((name) => !order.includes(name));
    assertEquals(clock.size, left.length);
    time.pass(3 * TICK_MS);
    assertEquals(expired.sort(), left);
    for (const deadline of deadlines.values()) deadline[Symbol.dispose]();
    assertEquals([clock.size, time.running], [0, 0]);
  }
});

Deno.test("Deadlines may come and go when one expires; the others expire all the same", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  const expired: string[] = [];
  const arm = (name: string, onExpiry = () => {}) => {
    const deadline = clock.create();
    deadline.arm(TICK_MS, () => {
      expired.push(name);
      onExpiry();
    });
    return deadline;
  };
  using stack = new DisposableStack();
  const gone = clock.create();
  stack.use(arm("a", () => {
    gone[Symbol.dispose]();
    stack.use(arm("late"));
  }));
  stack.use(arm("b"));
  stack.use(arm("c"));
  time.pass(2 * TICK_MS);
  assertEquals(expired, ["a", "b", "c"]);
  time.pass(3 * TICK_MS);
  assertEquals(expired, ["a", "b", "c", "late"]);
});

Deno.test("A clock runs while it has deadlines, and not otherwise", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  assertEquals([clock.size, time.running], [0, 0]);
  const [a, b] = [clock.create(), clock.create()];
  time.pass(TICK_MS);
  assertEquals([clock.size, time.running], [2, 1]);
  a[Symbol.dispose]();
  assertEquals([clock.size, time.running], [1, 1]);
  b[Symbol.dispose]();
  b[Symbol.dispose]();
  assertEquals([clock.size, time.running], [0, 0]);
});

Deno.test("A clock that stopped runs again with its next deadline", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  clock.create()[Symbol.dispose]();
  time.pass(10 * TICK_MS);
  using deadline = clock.create();
  let count = 0;
  deadline.arm(2 * TICK_MS, () => count++);
  time.pass(2 * TICK_MS - 1);
  assertEquals(count, 0);
  time.pass(2 * TICK_MS + 1);
  assertEquals(count, 1);
});

Deno.test("A clock does not keep the process alive", () => {
  using time = new FakeIntervals();
  using _deadline = new DeadlineClock(TICK_MS).create();
  time.pass(TICK_MS);
  assertEquals([time.running, time.unrefed.size], [1, 1]);
});

Deno.test("A clock does not tick for deadlines that were given back before its first tick", () => {
  using time = new FakeIntervals();
  const clock = new DeadlineClock(TICK_MS);
  clock.create()[Symbol.dispose]();
  clock.create()[Symbol.dispose]();
  time.pass(10 * TICK_MS);
  assertEquals(time.running, 0);
});

Deno.test("A deadline expires on the real clock, and leaves no timer", async () => {
  const clock = new DeadlineClock(1);
  const expired: string[] = [];
  using long = clock.create();
  using short = clock.create();
  long.arm(Infinity, () => expired.push("long"));
  // A timer that is not the clock's keeps the process alive meanwhile.
  const alive = setInterval(() => {}, 1000);
  try {
    await new Promise<void>((resolve) => {
      short.arm(5, () => {
        expired.push("short");
        resolve();
      });
    });
  } finally {
    clearInterval(alive);
  }
  assertEquals(expired, ["short"]);
});

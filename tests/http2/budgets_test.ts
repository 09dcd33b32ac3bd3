// Each budget ends a connection that uses it up, is refilled by time, and never
// ends one that stays below it.

import { Budgets } from "../../src/http2/budgets.ts";
import { assertHttp2Error } from "./_errors.ts";

/** A clock that is set by hand. */
class FakeClock {
  now = 1000;
  readonly read = (): number => this.now;
}

function repeat(times: number, call: () => void): void {
  for (let i = 0; i < times; i++) call();
}

const LIMITS: [string, number, (budgets: Budgets) => void][] = [
  ["resets of the client", 500, (budgets) => budgets.clientReset()],
  ["provoked resets", 100, (budgets) => budgets.provokedReset()],
  ["glitches", 1000, (budgets) => budgets.glitch()],
  ["empty CONTINUATIONs", 100, (budgets) => budgets.emptyContinuation()],
  ["empty DATA", 1000, (budgets) => budgets.data(0, 0, false)],
  ["control frames", 1000, (budgets) => budgets.controlFrame()],
];

for (const [what, limit, call] of LIMITS) {
  Deno.test(`${limit} ${what} at once are accepted, and no more`, () => {
    const clock = new FakeClock();
    const budgets = new Budgets(clock.read);
    repeat(limit, () => call(budgets));
    assertHttp2Error(() => call(budgets), "ENHANCE_YOUR_CALM");
  });
}

for (
  const [what, perSecond, call] of [
    ["resets", 50, (budgets: Budgets) => budgets.clientReset()],
    ["glitches", 100, (budgets: Budgets) => budgets.glitch()],
  ] as const
) {
  Deno.test(`${perSecond} ${what} a second are accepted for ever`, () => {
    const clock = new FakeClock();
    const budgets = new Budgets(clock.read);
    repeat(10_000, () => {
      clock.now += 1000 / perSecond;
      call(budgets);
    });
  });

  Deno.test(`Twice ${perSecond} ${what} a second are not`, () => {
    const clock = new FakeClock();
    const budgets = new Budgets(clock.read);
    assertHttp2Error(() => {
      repeat(10_000, () => {
        clock.now += 500 / perSecond;
        call(budgets);
      });
    }, "ENHANCE_YOUR_CALM");
  });
}

Deno.test("Requests and content start the count of control frames anew", () => {
  const budgets = new Budgets();
  repeat(5, () => {
    repeat(1000, () => budgets.controlFrame());
    budgets.request();
    repeat(1000, () => budgets.controlFrame());
    budgets.data(1, 0, true);
  });
  repeat(1000, () => budgets.controlFrame());
  budgets.data(0, 0, true);
  assertHttp2Error(() => budgets.controlFrame(), "ENHANCE_YOUR_CALM");
});

Deno.test("64 Ki small DATA that join unread content are accepted, until some is read", () => {
  const budgets = new Budgets();
  repeat(65_536, () => budgets.data(63, 1, false));
  budgets.contentRead();
  repeat(65_536, () => budgets.data(63, 1, false));
  assertHttp2Error(() => budgets.data(63, 1, false), "ENHANCE_YOUR_CALM");
});

Deno.test("100 control frames a second are accepted for ever, and no more", () => {
  for (const perSecond of [100, 200]) {
    const clock = new FakeClock();
    const budgets = new Budgets(clock.read);
    const send = () =>
      repeat(10_000, () => {
        clock.now += 1000 / perSecond;
        budgets.controlFrame();
      });
    if (perSecond === 100) send();
    else assertHttp2Error(send, "ENHANCE_YOUR_CALM");
  }
});

Deno.test("After an hour of silence, no more than twice as many are accepted at once", () => {
  const clock = new FakeClock();
  const budgets = new Budgets(clock.read);
  clock.now += 3_600_000;
  assertHttp2Error(
    () => repeat(2001, () => budgets.controlFrame()),
    "ENHANCE_YOUR_CALM",
  );
});

Deno.test("DATA costs nothing if it is large, read at once, or the last", () => {
  const budgets = new Budgets();
  repeat(50_000, () => {
    budgets.data(64, 1000, false);
    budgets.data(1, 0, false);
    budgets.data(1, 1000, true);
    budgets.data(0, 0, true);
  });
});

Deno.test("Control frames that answer what was sent do not add up", () => {
  const budgets = new Budgets();
  for (const bytes of [1, 1024, 16_384]) {
    repeat(5_000, () => {
      budgets.contentSent(bytes);
      repeat(Math.max(4, bytes / 512), () => budgets.controlFrame());
    });
  }
});

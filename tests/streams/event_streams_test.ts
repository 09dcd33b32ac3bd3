// The two directions of events: a source makes an event when one is asked for
// and not before, a sink deals with one event at a time, and neither lets an
// unawaited rejection end the process. Many of either share their streams, and
// never notice.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  EventSink,
  EventSource,
  eventStream,
  type EventTaker,
} from "../../src/streams/event_streams.ts";
import { handled } from "../../src/streams/handled.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { unawaited } from "../_unawaited.ts";

const MANY = 10_000;

/** A source of 1, 2, 3 …, which counts how often an event was asked for. */
class Counter {
  asked = 0;
  readonly readable: ReadableStream<number>;

  constructor(last: number, isAsync = false) {
    this.readable = eventStream<number>(
      () => {
        this.asked++;
        return isAsync ? Promise.resolve(this.asked) : this.asked;
      },
      (event) => event === last,
    );
  }
}

for (const [how, isAsync] of [["at once", false], ["later", true]] as const) {
  Deno.test(`eventStream() makes nothing before it is read, if it makes events ${how}`, async () => {
    const counter = new Counter(9, isAsync);
    await nextTurn();
    assertEquals(counter.asked, 0);
    counter.readable.getReader();
    await nextTurn();
    assertEquals(counter.asked, 0);
  });

  Deno.test(`eventStream() makes one event a read, and none ahead, if it makes events ${how}`, async () => {
    const counter = new Counter(9, isAsync);
    const reader = counter.readable.getReader();
    for (let event = 1; event < 9; event++) {
      assertEquals(await reader.read(), { done: false, value: event });
      await nextTurn();
      assertEquals(counter.asked, event);
    }
  });

  Deno.test(`eventStream() ends behind the last event, if it makes events ${how}`, async () => {
    const counter = new Counter(3, isAsync);
    assertEquals(await Array.fromAsync(counter.readable), [1, 2, 3]);
    assertEquals(counter.asked, 3);
  });

  Deno.test(`eventStream() answers reads that wait together in order, if it makes events ${how}`, async () => {
    const reader = new Counter(2, isAsync).readable.getReader();
    const reads = [reader.read(), reader.read(), reader.read()];
    assertEquals(await Promise.all(reads), [
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
    await reader.closed;
  });
}

Deno.test("eventStream() waits for an event that takes its time", async () => {
  const event = Promise.withResolvers<string>();
  const source = eventStream(() => event.promise, () => true);
  const reader = source.getReader();
  const read = reader.read();
  assert(await isPending(read));
  event.resolve("late");
  assertEquals(await read, { done: false, value: "late" });
  assertEquals((await reader.read()).done, true);
});

Deno.test("eventStream() makes nothing more once its reader has cancelled", async () => {
  const counter = new Counter(9);
  const reader = counter.readable.getReader();
  await reader.read();
  await reader.cancel(new Error("enough"));
  await nextTurn();
  assertEquals(counter.asked, 1);
});

Deno.test("eventStream() bears a cancel while an event is on its way", async () => {
  const event = Promise.withResolvers<number>();
  const reader = eventStream(() => event.promise, () => false).getReader();
  const read = reader.read();
  await nextTurn();
  const cancelled = reader.cancel(new Error("enough"));
  event.resolve(1);
  await cancelled;
  assertEquals((await read).done, true);
});

Deno.test("eventStream() flows through a pipe, event by event", async () => {
  const seen: number[] = [];
  await new Counter(3).readable
    .pipeThrough(
      new TransformStream<number, number>({
        transform: (event, controller) => controller.enqueue(event * 10),
      }),
    )
    .pipeTo(
      new WritableStream({
        write: (event) => {
          seen.push(event);
        },
      }),
    );
  assertEquals(seen, [10, 20, 30]);
});

/** The origin of 1, 2, 3 …, each of which comes when it is told to. */
class Gated {
  asked = 0;
  readonly gates: PromiseWithResolvers<void>[] = [];

  async nextEvent(): Promise<number> {
    this.asked++;
    const gate = this.gates[this.asked] = Promise.withResolvers<void>();
    const event = this.asked;
    await gate.promise;
    return event;
  }

  isLast(event: number): boolean {
    return event === 3;
  }
}

Deno.test("EventSource asks for nothing before it is read, and once a read", async () => {
  const origin = new Gated();
  const source = new EventSource(origin);
  await nextTurn();
  assertEquals(origin.asked, 0);
  const read = source.read();
  assert(await isPending(read));
  assertEquals(origin.asked, 1);
  origin.gates[1].resolve();
  assertEquals(await read, 1);
  await nextTurn();
  assertEquals(origin.asked, 1);
});

Deno.test("EventSource answers reads that wait together in order, one at a time", async () => {
  const origin = new Gated();
  const source = new EventSource(origin);
  const answers: number[] = [];
  const reads = [1, 2, 3].map(async () => {
    answers.push(await source.read());
  });
  await nextTurn();
  assertEquals(origin.asked, 1);
  for (const event of [1, 2, 3]) {
    origin.gates[event].resolve();
    await nextTurn();
  }
  await Promise.all(reads);
  assertEquals(answers, [1, 2, 3]);
});

Deno.test("EventSource goes on as a stream where reads have left off", async () => {
  const source = new EventSource(new Countdown(3));
  assertEquals(await source.read(), 3);
  assertEquals(await Array.fromAsync(source.readable), [2, 1, 0]);
});

Deno.test("EventSource goes on with reads where its stream has ended", async () => {
  const source = new EventSource(new Countdown(1));
  const reader = source.readable.getReader();
  assertEquals((await reader.read()).value, 1);
  reader.releaseLock();
  assertEquals([await source.read(), await source.read()], [0, 0]);
});

Deno.test("EventSource rejects a read while somebody else holds its stream", async () => {
  const source = new EventSource(new Countdown(3));
  const reader = source.readable.getReader();
  await assertRejects(() => source.read(), TypeError, "locked");
  reader.releaseLock();
  assertEquals(await source.read(), 3);
});

Deno.test("EventSources never get each other's events, however many wait at once", async () => {
  const sources = Array.from(
    { length: 200 },
    (_, i) => new EventSource(new Countdown(1000 * i + 2)),
  );
  for (const left of [2, 1, 0]) {
    const events = await Promise.all(sources.map((source) => source.read()));
    assertEquals(events, sources.map((_, i) => Math.max(1000 * i + left, 0)));
  }
});

Deno.test("EventSink deals with events in the order of their writes", async () => {
  const taken: number[] = [];
  const sink = sinkOf<number>((event) => {
    taken.push(event);
    return undefined;
  }, () => {});
  await Promise.all([1, 2, 3].map((event) => sink.write(event)));
  assertEquals(taken, [1, 2, 3]);
});

Deno.test("EventSink deals with one event at a time, and a write resolves behind it", async () => {
  const gates = [0, 1].map(() => Promise.withResolvers<void>());
  const taken: number[] = [];
  const sink = sinkOf<number>((event) => {
    taken.push(event);
    return gates[event].promise;
  }, () => {});
  const writes = [sink.write(0), sink.write(1)];
  assert(await isPending(writes[0]));
  assertEquals(taken, [0]);
  gates[0].resolve();
  await writes[0];
  assert(await isPending(writes[1]));
  assertEquals(taken, [0, 1]);
  gates[1].resolve();
  await writes[1];
});

Deno.test("EventSink ends behind the last event, once", async () => {
  const gate = Promise.withResolvers<void>();
  const steps: string[] = [];
  const sink = sinkOf<string>((event) => {
    steps.push(event);
    return gate.promise;
  }, () => {
    steps.push("end");
  });
  const writes = [sink.write("a"), sink.write("b")];
  sink.close();
  sink.close();
  await nextTurn();
  assertEquals(steps, ["a"]);
  gate.resolve();
  await Promise.all(writes);
  await nextTurn();
  assertEquals(steps, ["a", "b", "end"]);
});

Deno.test("EventSink does not end before it is closed", async () => {
  let ended = false;
  const sink = sinkOf<string>(() => undefined, () => {
    ended = true;
  });
  await sink.write("a");
  await nextTurn();
  assertEquals(ended, false);
});

Deno.test("EventSink rejects a write behind its close", async () => {
  const taken: string[] = [];
  const sink = sinkOf<string>((event) => {
    taken.push(event);
    return undefined;
  }, () => {});
  sink.close();
  await assertRejects(() => sink.write("a"), TypeError);
  assertEquals(taken, []);
});

for (
  const [how, fail] of [["throws", thrown], ["rejects", rejected]] as const
) {
  Deno.test(`EventSink rejects the write that ${how}, and those behind it`, async () => {
    const taken: string[] = [];
    const sink = sinkOf<string>((event) => {
      taken.push(event);
      return event === "bad" ? fail() : undefined;
    }, () => {});
    const writes = ["good", "bad", "behind"].map((event) => sink.write(event));
    await writes[0];
    await assertRejects(() => writes[1], RangeError, "bad for the test");
    await assertRejects(() => writes[2], RangeError, "bad for the test");
    await assertRejects(() => sink.write("later"), RangeError, "bad for");
    sink.close();
    await nextTurn();
    assertEquals(taken, ["good", "bad"]);
  });
}

Deno.test("EventSinks never get each other's events, however many wait at once", async () => {
  const taken: number[][] = [];
  const sinks = Array.from({ length: 200 }, (_, i) => {
    const mine: number[] = taken[i] = [];
    return sinkOf<number>(async (event) => {
      await nextTurn();
      mine.push(event);
    }, () => mine.push(-1));
  });
  for (const event of [1, 2, 3]) {
    await Promise.all(
      sinks.flatMap((sink, i) => [sink.write(i), sink.write(i + event)]),
    );
  }
  for (const sink of sinks) sink.close();
  await nextTurn();
  await nextTurn();
  assertEquals(taken, sinks.map((_, i) => [i, i + 1, i, i + 2, i, i + 3, -1]));
});

Deno.test("EventSinks do not suffer from the failure of one of them", async () => {
  const failing = sinkOf<number>(thrown, () => {});
  await assertRejects(() => failing.write(1), RangeError, "bad for the test");
  for (let i = 0; i < 100; i++) {
    const taken: number[] = [];
    const sink = sinkOf<number>((event) => void taken.push(event), () => {});
    await sink.write(i);
    assertEquals(taken, [i]);
  }
  await assertRejects(() => failing.write(2), RangeError, "bad for the test");
});

Deno.test("EventSink bears that nobody awaits a write that rejects", async () => {
  await withoutUnhandled(() => {
    const sink = sinkOf<string>(thrown, () => {});
    unawaited(sink.write("a"));
    unawaited(sink.write("b"));
    sink.close();
    sink.close();
  });
});

Deno.test("handled() gives the same promise back, with its outcome", async () => {
  const promise = Promise.resolve("a");
  assert(handled(promise) === promise);
  const failing = rejected();
  assert(handled(failing) === failing);
  await assertRejects(() => failing, RangeError, "bad for the test");
});

Deno.test("handled() bears that nobody awaits the promise", async () => {
  await withoutUnhandled(() => handled(rejected()));
});

Deno.test("EventSource lets others in while its events are there at once", async () => {
  const source = new EventSource(new Countdown(MANY));
  const letIn = await letsOthersIn(async () => {
    while (await source.read() > 0);
  });
  assert(letIn, "All events were given in one turn");
});

Deno.test("EventSource.readable lets others in while its events are there at once", async () => {
  const { readable } = new EventSource(new Countdown(MANY));
  const letIn = await letsOthersIn(async () => {
    for await (const event of readable) if (event === 0) return;
  });
  assert(letIn, "All events were given in one turn");
});

for (
  const [how, takeEvent] of [
    ["taken at once", () => undefined],
    ["waited for, but not for long", () => Promise.resolve()],
  ] as const
) {
  Deno.test(`EventSink lets others in while its events are ${how}`, async () => {
    const sink = sinkOf(takeEvent, () => {});
    const letIn = await letsOthersIn(async () => {
      for (let event = 0; event < MANY; event++) await sink.write(event);
    });
    assert(letIn, "All events were taken in one turn");
  });
}

/** The origin of numbers down to 0, which it gives for ever. */
class Countdown {
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  nextEvent(): number {
    return Math.max(this.#next--, 0);
  }

  isLast(event: number): boolean {
    return event === 0;
  }
}

function sinkOf<Event>(
  takeEvent: (event: Event) => Promise<void> | undefined | void,
  endOfEvents: () => void,
): EventSink<Event> {
  const taker = { takeEvent, endOfEvents } as EventTaker<Event>;
  return new EventSink(taker);
}

/** Fails if a rejection stays unhandled. */
async function withoutUnhandled(act: () => unknown): Promise<void> {
  const unhandled: unknown[] = [];
  function note(event: PromiseRejectionEvent): void {
    event.preventDefault();
    unhandled.push(event.reason);
  }
  addEventListener("unhandledrejection", note);
  try {
    act();
    await nextTurn();
    assertEquals(unhandled, []);
  } finally {
    removeEventListener("unhandledrejection", note);
  }
}

function thrown(): never {
  throw new RangeError("Cannot take: bad for the test");
}

function rejected(): Promise<never> {
  return Promise.reject(new RangeError("Cannot take: bad for the test"));
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  await nextTurn();
  return pending;
}

/** Lets everything happen that waits for nothing from outside. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

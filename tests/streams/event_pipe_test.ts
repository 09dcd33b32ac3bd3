// The pooled streams between an application and the server: what they hold, when
// their writes resolve, how they end, and which of them are lent again.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  DemandPipe,
  EventPipe,
  type EventPipeOptions,
  HandledPipe,
  PipePool,
} from "../../src/streams/event_pipe.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { isPending, settled } from "../_turns.ts";
import { unawaited } from "../_unawaited.ts";

/** A pipe of texts that holds ten letters. */
function textPipe(): EventPipe<string> {
  return new EventPipe({ highWaterMark: 10, size: ({ length }) => length });
}

const BYTES: EventPipeOptions<Uint8Array> = {
  highWaterMark: 10,
  size: ({ length }) => length,
  copy: (bytes) => bytes.slice(),
};

async function readAll<Event>(
  pipe: EventPipe<Event>,
  count: number,
): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) events.push((await pipe.read()).value!);
  return events;
}

Deno.test("EventPipe gives events in the order of their writes", async () => {
  const pipe = textPipe();
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  for (const letter of letters) unawaited(pipe.write(letter));
  assertEquals(await readAll(pipe, letters.length), letters);
});

Deno.test("EventPipe resolves writes as long as it has room, and then one for each read", async () => {
  const pipe = textPipe();
  await pipe.write("aaaa");
  await pipe.write("bbbbb");
  await pipe.write("cccc");
  const waiting = pipe.write("d");
  assert(await isPending(waiting));
  await pipe.read();
  await waiting;
  assertEquals(await readAll(pipe, 3), ["bbbbb", "cccc", "d"]);
});

Deno.test("EventPipe resolves a write after its waiting reader has gone on", async () => {
  const pipe = textPipe();
  const order: string[] = [];
  const reading = (async () => {
    for (let i = 0; i < 3; i++) order.push(`read ${(await pipe.read()).value}`);
  })();
  for (const event of ["a", "b", "c"]) {
    await pipe.write(event);
    order.push(`written ${event}`);
  }
  await reading;
  assertEquals(order, [
    "read a",
    "written a",
    "read b",
    "written b",
    "read c",
    "written c",
  ]);
});

Deno.test("EventPipe gives the very event to a reader that waits", async () => {
  const pipe = new EventPipe(BYTES);
  const read = pipe.read();
  const event = Uint8Array.of(1, 2, 3);
  await pipe.write(event);
  assert((await read).value === event);
});

Deno.test("EventPipe holds copies, so that buffers can be used again", async () => {
  const pipe = new EventPipe(BYTES);
  const read = pipe.read();
  const buffer = new Uint8Array(1);
  for (let i = 1; i <= 5; i++) {
    buffer[0] = i;
    await pipe.write(buffer);
    if (i === 1) assertEquals((await read).value, Uint8Array.of(1));
  }
  buffer[0] = 0;
  const held = await readAll(pipe, 4);
  assertEquals(held.map(([first]) => first), [2, 3, 4, 5]);
});

Deno.test("EventPipe copies what is written after an event for the only read", async () => {
  const pipe = new EventPipe(BYTES);
  const read = pipe.read();
  const buffer = new Uint8Array(1);
  unawaited(pipe.write(Uint8Array.of(1)));
  buffer[0] = 2;
  await pipe.write(buffer);
  buffer[0] = 0;
  assertEquals((await read).value, Uint8Array.of(1));
  assertEquals((await pipe.read()).value, Uint8Array.of(2));
});

Deno.test("EventPipe rejects waiting and later writes with what it was cancelled with", async () => {
  const pipe = textPipe();
  await pipe.write("held, and dropped");
  const waiting = pipe.write("waiting");
  const reason = new Error("Cancelled by the test");
  pipe.cancel(reason);
  assert(await rejectionOf(waiting) === reason);
  assert(await rejectionOf(pipe.write("later")) === reason);
  assertEquals((await pipe.read()).done, true);
});

Deno.test("EventPipe ends the read that waits when it is cancelled", async () => {
  const pipe = textPipe();
  const read = pipe.read();
  pipe.cancel(new Error("Cancelled by the test"));
  assertEquals((await read).done, true);
});

Deno.test("EventPipe bears that nobody awaits a write that rejects", async () => {
  const pipe = textPipe();
  unawaited(pipe.write("held, and dropped"));
  unawaited(pipe.write("waiting"));
  pipe.cancel(new Error("Cancelled by the test"));
  unawaited(pipe.write("later"));
  await settled();
});

Deno.test("EventPipe is empty while nothing is held and no read waits", async () => {
  const pipe = textPipe();
  assert(pipe.isEmpty);
  await pipe.write("a");
  assert(!pipe.isEmpty);
  await pipe.read();
  assert(pipe.isEmpty);
  const read = pipe.read();
  assert(!pipe.isEmpty);
  await pipe.write("b");
  await read;
  assert(pipe.isEmpty);
});

Deno.test("EventPipe is never empty again once it was cancelled", () => {
  const pipe = textPipe();
  pipe.cancel(new Error("Cancelled by the test"));
  assert(!pipe.isEmpty);
});

// Events that are handled.

/** Notes what it handles; it waits before the next one as long as `gate` does. */
class Handler {
  readonly handled: string[] = [];
  gate: Promise<void> | undefined;

  handleEvent(event: string): Promise<void> | undefined {
    this.handled.push(event);
    return this.gate;
  }
}

function handledPipe(handler: Handler): HandledPipe<string> {
  const pipe = new HandledPipe<string>({
    highWaterMark: 10,
    size: ({ length }) => length,
  });
  pipe.giveTo(handler);
  return pipe;
}

Deno.test("HandledPipe gives each event to its handler before the write resolves", async () => {
  const handler = new Handler();
  const pipe = handledPipe(handler);
  for (const event of ["a", "b", "c"]) {
    await pipe.write(event);
    assertEquals(handler.handled.at(-1), event);
  }
  assertEquals(handler.handled, ["a", "b", "c"]);
});

Deno.test("HandledPipe gives the next event when the one before was dealt with", async () => {
  const handler = new Handler();
  const pipe = handledPipe(handler);
  const gate = Promise.withResolvers<void>();
  handler.gate = gate.promise;
  for (const event of ["aaaaa", "bbbbb", "ccccc"]) await pipe.write(event);
  const waiting = pipe.write("d");
  assert(await isPending(waiting));
  assertEquals(handler.handled, ["aaaaa"]);
  gate.resolve();
  await waiting;
  await settled();
  assertEquals(handler.handled, ["aaaaa", "bbbbb", "ccccc", "d"]);
});

Deno.test("HandledPipe gives nothing more once it was cancelled", async () => {
  const handler = new Handler();
  const pipe = handledPipe(handler);
  const gate = Promise.withResolvers<void>();
  handler.gate = gate.promise;
  unawaited(pipe.write("a"));
  unawaited(pipe.write("b"));
  await settled();
  pipe.cancel(new Error("Cancelled by the test"));
  gate.resolve();
  await settled();
  assertEquals(handler.handled, ["a"]);
});

Deno.test("HandledPipe is empty when every event was taken, and goes on with another handler", async () => {
  const pipe = handledPipe(new Handler());
  for (let call = 0; call < 3; call++) {
    const handler = new Handler();
    pipe.giveTo(handler);
    assert(pipe.isEmpty);
    const written = pipe.write(`${call}`);
    const second = pipe.write("b");
    assert(!pipe.isEmpty);
    await Promise.all([written, second]);
    assertEquals(handler.handled, [`${call}`, "b"]);
    assert(pipe.isEmpty);
  }
});

Deno.test("HandledPipe is never empty again once it was cancelled", async () => {
  const pipe = handledPipe(new Handler());
  await pipe.write("a");
  assert(pipe.isEmpty);
  pipe.cancel(new Error("Cancelled for the test"));
  assert(!pipe.isEmpty);
});

for (const gate of [undefined, Promise.resolve()]) {
  Deno.test(`HandledPipe lets others in while its events are dealt with ${gate ? "soon" : "at once"}`, async () => {
    const handler = new Handler();
    handler.gate = gate;
    const pipe = handledPipe(handler);
    const letIn = await letsOthersIn(async () => {
      for (let i = 0; i < 10_000; i++) await pipe.write("a");
    });
    assert(letIn, "All events were handled in one turn");
  });
}

// Events on demand.

/** Counts up; what is made is seen in `made`. */
class Counter {
  readonly made: number[] = [];
  readonly #first: number;

  constructor(first = 1) {
    this.#first = first;
  }

  nextEvent(): number {
    const event = this.#first + this.made.length;
    this.made.push(event);
    return event;
  }
}

function pipeOf<Event>(
  nextEvent: () => Event | Promise<Event>,
): DemandPipe<Event> {
  const pipe = new DemandPipe<Event>();
  pipe.takeFrom({ nextEvent });
  return pipe;
}

Deno.test("DemandPipe has nothing made before it is read, and one event for each read", async () => {
  const counter = new Counter();
  const pipe = pipeOf(() => counter.nextEvent());
  for (let i = 0; i < 3; i++) {
    await settled();
    assertEquals(counter.made.length, i);
    assertEquals(await pipe.read(), i + 1);
  }
});

Deno.test("DemandPipe answers reads that wait together in order, one at a time", async () => {
  const events = [1, 2, 3].map(() => Promise.withResolvers<string>());
  let made = 0;
  const pipe = pipeOf(() => events[made++].promise);
  const reads = [pipe.read(), pipe.read(), pipe.read()];
  await settled();
  assertEquals(made, 1);
  events[2].resolve("c");
  events[0].resolve("a");
  assertEquals(await reads[0], "a");
  await settled();
  assertEquals(made, 2);
  events[1].resolve("b");
  assertEquals(await Promise.all(reads), ["a", "b", "c"]);
});

Deno.test("DemandPipe is empty while no read waits", async () => {
  const event = Promise.withResolvers<string>();
  const pipe = pipeOf(() => event.promise);
  assert(pipe.isEmpty);
  const read = pipe.read();
  assert(!pipe.isEmpty);
  await settled();
  assert(!pipe.isEmpty);
  event.resolve("a");
  await read;
  assert(pipe.isEmpty);
});

Deno.test("DemandPipe goes on with another maker", async () => {
  const pipe = new DemandPipe<number>();
  for (const first of [10, 20, 30]) {
    const counter = new Counter(first);
    pipe.takeFrom(counter);
    assertEquals(await pipe.read(), first);
    assertEquals(await pipe.read(), first + 1);
    pipe.takeFrom(undefined);
    assertEquals(counter.made.length, 2);
  }
});

Deno.test("DemandPipe lets others in while its events are there at once", async () => {
  const pipe = new DemandPipe<number>();
  pipe.takeFrom(new Counter());
  const letIn = await letsOthersIn(async () => {
    for (let i = 0; i < 10_000; i++) await pipe.read();
  });
  assert(letIn, "All events were given in one turn");
});

// Pools.

Deno.test("PipePool lends an empty pipe again, and makes one where there is none", async () => {
  const pool = new PipePool(textPipe);
  const pipe = pool.lend();
  assert(pool.lend() !== pipe);
  await Promise.all([pipe.read(), pipe.write("a")]);
  pool.giveBack(pipe);
  assert(pool.lend() === pipe);
  assert(pool.lend() !== pipe);
});

const NOT_EMPTY: [what: string, use: (pipe: EventPipe<string>) => unknown][] = [
  ["that holds an event", (pipe) => pipe.write("a")],
  ["on which a read waits", (pipe) => unawaited(pipe.read())],
  ["that was cancelled", (pipe) => pipe.cancel(new Error("Cancelled"))],
];

for (const [what, use] of NOT_EMPTY) {
  Deno.test(`PipePool drops a pipe ${what}`, async () => {
    const pool = new PipePool(textPipe);
    const pipe = pool.lend();
    await use(pipe);
    pool.giveBack(pipe);
    assert(pool.lend() !== pipe);
  });
}

Deno.test("PipePool keeps 1024 pipes, and drops the others", () => {
  let made = 0;
  const pool = new PipePool(() => ({ isEmpty: true, number: ++made }));
  const pipes = Array.from({ length: 1100 }, () => pool.lend());
  for (const pipe of pipes) pool.giveBack(pipe);
  for (const _ of pipes) pool.lend();
  assertEquals(made, 1100 + 1100 - 1024);
});

Deno.test("PipePool never mixes the events of calls, however many there are at once", async () => {
  const pool = new PipePool(textPipe);
  const call = async (name: string): Promise<void> => {
    const pipe = pool.lend();
    const read = readAll(pipe, 3);
    for (const event of ["1", "2", "3"]) await pipe.write(name + event);
    assertEquals(await read, [`${name}1`, `${name}2`, `${name}3`]);
    pool.giveBack(pipe);
  };
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => call(`${i}: `)));
  }
});

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let reason: unknown;
  await assertRejects(() =>
    promise.catch((error) => {
      reason = error;
      throw error;
    })
  );
  return reason;
}

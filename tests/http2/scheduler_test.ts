// Who sends next: by urgency, in order or in turn; never more than windows and
// room allow; and nobody starves.

import { assert, assertEquals } from "@std/assert";
import { SendWindow } from "../../src/http2/flow_window.ts";
import { Scheduler, type SendingStream } from "../../src/http2/scheduler.ts";
import { Random } from "../websocket/_random.ts";

const FRAME = 16_384;
const ROOM = 65_536;

class FakeStream implements SendingStream {
  readonly id: number;
  readonly window: SendWindow;
  waiting: number;
  priority = { urgency: 3, incremental: true };

  constructor(id: number, waiting: number, window = 1e9) {
    this.id = id;
    this.waiting = waiting;
    this.window = new SendWindow(id, window);
  }

  with(urgency: number, incremental: boolean): this {
    this.priority = { urgency, incremental };
    return this;
  }
}

function schedule(...streams: FakeStream[]): Scheduler<FakeStream> {
  const scheduler = new Scheduler<FakeStream>();
  for (const stream of streams) scheduler.update(stream);
  return scheduler;
}

/** Takes turns until nothing can be sent, or `max` were taken. */
function turns(
  scheduler: Scheduler<FakeStream>,
  max = Infinity,
  window = new SendWindow(0, 1e9),
): [id: number, bytes: number][] {
  const taken: [number, number][] = [];
  while (taken.length < max) {
    const turn = scheduler.next(window, ROOM);
    if (turn === undefined) break;
    const { stream, bytes } = turn;
    assert(bytes > 0 && bytes <= stream.waiting);
    window.consume(bytes);
    stream.window.consume(bytes);
    stream.waiting -= bytes;
    scheduler.update(stream);
    taken.push([stream.id, bytes]);
  }
  return taken;
}

function order(...args: Parameters<typeof turns>): number[] {
  return turns(...args).map(([id]) => id);
}

Deno.test("A stream is sent in frames of 16 KiB", () => {
  const scheduler = schedule(new FakeStream(1, 2 * FRAME + 5));
  assertEquals(turns(scheduler), [[1, FRAME], [1, FRAME], [1, 5]]);
  assert(scheduler.idle);
});

Deno.test("A lower urgency is sent first", () => {
  const scheduler = schedule(
    new FakeStream(1, 1).with(7, true),
    new FakeStream(3, 1).with(0, false),
    new FakeStream(5, 1).with(3, true),
    new FakeStream(7, 1).with(1, true),
  );
  assertEquals(order(scheduler), [3, 7, 5, 1]);
});

Deno.test("What is not incremental is sent in order, each to its end", () => {
  const scheduler = schedule(
    new FakeStream(5, 2 * FRAME).with(3, false),
    new FakeStream(1, 2 * FRAME).with(3, false),
    new FakeStream(3, 2 * FRAME).with(3, false),
  );
  assertEquals(order(scheduler), [1, 1, 3, 3, 5, 5]);
});

Deno.test("What is incremental takes turns", () => {
  const scheduler = schedule(
    new FakeStream(5, 2 * FRAME),
    new FakeStream(1, 3 * FRAME),
    new FakeStream(3, FRAME),
  );
  assertEquals(order(scheduler), [5, 1, 3, 5, 1, 1]);
});

Deno.test("The two kinds take turns", () => {
  const scheduler = schedule(
    new FakeStream(1, 2 * FRAME).with(3, false),
    new FakeStream(3, 2 * FRAME),
    new FakeStream(5, 2 * FRAME),
    new FakeStream(7, FRAME).with(3, false),
  );
  assertEquals(order(scheduler), [1, 3, 1, 5, 7, 3, 5]);
});

Deno.test("After 64 frames ahead of it, each urgency has a turn", () => {
  const scheduler = schedule(
    new FakeStream(1, 300 * FRAME).with(0, false),
    new FakeStream(3, 300 * FRAME).with(5, true),
    new FakeStream(5, 300 * FRAME).with(7, true),
  );
  const ids = order(scheduler, 200);
  const others = ids.flatMap((id, at) => id === 1 ? [] : [[at, id]]);
  assertEquals(others, [
    [64, 5],
    [65, 3],
    [129, 5],
    [130, 3],
    [194, 5],
    [195, 3],
  ]);
});

Deno.test("A stream whose window is used up waits, and no other", () => {
  const blocked = new FakeStream(1, FRAME, 100).with(0, false);
  const scheduler = schedule(blocked, new FakeStream(3, 5));
  assertEquals(turns(scheduler), [[1, 100], [3, 5]]);
  assert(scheduler.idle);
  blocked.window.grow(2000);
  scheduler.update(blocked);
  assertEquals(turns(scheduler), [[1, 2000]]);
});

Deno.test("A window of 1 byte at a time is no window", () => {
  const stream = new FakeStream(1, FRAME, 65_535);
  stream.window.consume(65_535);
  const scheduler = schedule(stream);
  for (let i = 0; i < 1023; i++) {
    stream.window.grow(1);
    scheduler.update(stream);
    assertEquals(turns(scheduler), []);
  }
  stream.window.grow(1);
  scheduler.update(stream);
  assertEquals(turns(scheduler), [[1, 1024]]);
});

Deno.test("The window of the connection, and the room, bound a frame", () => {
  const scheduler = schedule(new FakeStream(1, 1000), new FakeStream(3, 1000));
  const connection = new SendWindow(0, 1500);
  assertEquals(turns(scheduler, Infinity, connection), [[1, 1000], [3, 500]]);
  assert(!scheduler.idle);
  connection.grow(1);
  assertEquals(turns(scheduler, Infinity, connection), []);
  assertEquals(scheduler.next(new SendWindow(0), 0), undefined);
  assertEquals(scheduler.next(new SendWindow(0), 10)?.bytes, 10);
});

Deno.test("A stream that has no more to send, or is removed, has no turn", () => {
  const [first, second, third] = [1, 3, 5].map((id) => new FakeStream(id, 10));
  const scheduler = schedule(first, second, third);
  first.waiting = 0;
  scheduler.update(first);
  scheduler.remove(second);
  scheduler.remove(second);
  assertEquals(order(scheduler), [5]);
});

Deno.test("A priority can change while a stream waits", () => {
  const [first, second] = [1, 3].map((id) => new FakeStream(id, 10));
  const scheduler = schedule(first, second);
  scheduler.reprioritize(second.with(0, false));
  scheduler.reprioritize(first.with(1, false));
  assertEquals(order(scheduler), [3, 1]);
});

Deno.test("All is sent, once, whatever the windows and priorities", () => {
  const random = new Random(11);
  for (let i = 0; i < 200; i++) {
    const streams = Array.from(
      { length: random.integer(1, 20) },
      (_, at) =>
        new FakeStream(
          2 * at + 1,
          random.integer(0, 100_000),
          random.pick([0, 1, 7, 16_384, 65_535]),
        ).with(random.integer(0, 7), random.chance(0.5)),
    );
    const total = streams.reduce((sum, { waiting }) => sum + waiting, 0);
    const connection = new SendWindow(0, 65_535);
    const scheduler = schedule(...streams);
    let sent = 0;
    for (let round = 0; sent < total; round++) {
      assert(round < 1000, "nothing is sent any more");
      for (const [, bytes] of turns(scheduler, Infinity, connection)) {
        sent += bytes;
      }
      connection.grow(65_535 - connection.size);
      for (const stream of streams) {
        if (random.chance(0.3)) stream.window.grow(random.integer(1, 70_000));
        scheduler.update(stream);
      }
    }
    assertEquals(sent, total);
    assert(scheduler.idle);
  }
});

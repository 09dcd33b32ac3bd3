// A pipe of messages: what it holds, when it has room, and what its writer hears of
// its reader.

import { assert, assertEquals, assertLess } from "@std/assert";
import { giveWay, LARGE_STEP } from "../../src/streams/fair_share.ts";
import {
  type DemandListener,
  MessagePipe,
} from "../../src/streams/message_pipe.ts";

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Each item counts for its length, and comes out in uppercase. */
function createPipe(highWaterMark = 10): MessagePipe<string, string> {
  return new MessagePipe({
    highWaterMark,
    size: ({ length }) => length,
    transform: (item) => item.toUpperCase(),
  });
}

/** What a listener was called with. */
class Listener implements DemandListener<string> {
  readonly calls: string[] = [];

  onAsked(): void {
    this.calls.push("asked");
  }

  onTaken(item: string): void {
    this.calls.push(`taken ${item}`);
  }

  onCancelled(): void {
    this.calls.push("cancelled");
  }
}

Deno.test("Items come out in their order, each transformed", async () => {
  const pipe = createPipe();
  const early = [pipe.read(), pipe.read()];
  for (const item of ["a", "b", "c"]) pipe.write(item);
  const read = await Promise.all([...early, pipe.read()]);
  assertEquals(read.map(({ value }) => value), ["A", "B", "C"]);
});

Deno.test("A pipe holds as much as its high-water mark, and has room again when it is read", async () => {
  const pipe = createPipe(10);
  assertEquals([pipe.isEmpty, pipe.heldSize, pipe.room], [true, 0, undefined]);
  pipe.write("12345");
  assertEquals([pipe.isEmpty, pipe.heldSize, pipe.room], [false, 5, undefined]);
  pipe.write("67890");
  const { room } = pipe;
  assert(room instanceof Promise);
  let hasRoom = false;
  const waited = room.then(() => hasRoom = true);
  await settled();
  assert(!hasRoom);
  await pipe.read();
  await waited;
  assertEquals([pipe.heldSize, pipe.room], [5, undefined]);
});

Deno.test("Nothing is transformed before it is asked for", async () => {
  const transformed: string[] = [];
  const pipe = new MessagePipe<string, string>({
    highWaterMark: 10,
    size: () => 1,
    transform(item) {
      transformed.push(item);
      return item;
    },
  });
  pipe.write("a");
  pipe.write("b");
  await settled();
  assertEquals(transformed, []);
  await pipe.read();
  await settled();
  assertEquals(transformed, ["a"]);
});

Deno.test("After it was closed, a pipe gives what it holds, and then its end", async () => {
  const pipe = createPipe();
  pipe.write("a");
  pipe.close();
  assertEquals((await pipe.read()).value, "A");
  assertEquals(await Promise.all([pipe.read(), pipe.read()]), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

Deno.test("A cancelled pipe drops what it holds, and what comes", async () => {
  const pipe = createPipe(3);
  pipe.write("abc");
  const { room } = pipe;
  pipe.cancel();
  pipe.cancel();
  await room;
  pipe.write("more");
  pipe.close();
  assertEquals([pipe.isEmpty, pipe.room], [true, undefined]);
  assertEquals((await pipe.read()).done, true);
});

Deno.test("A read that waits is done when the pipe is cancelled", async () => {
  const pipe = createPipe();
  const read = pipe.read();
  await settled();
  pipe.cancel();
  assertEquals((await read).done, true);
});

Deno.test("An item that waits for its share when the pipe is cancelled is dropped as well", async () => {
  const pipe = createPipe(Infinity);
  for (let i = 1; i < LARGE_STEP; i++) {
    pipe.write("a");
    await pipe.read();
  }
  let share: Promise<void> | undefined;
  while (share === undefined) share = giveWay(LARGE_STEP);
  const listener = pipe.listener = new Listener();
  pipe.write("b");
  const read = pipe.read();
  for (let i = 0; i < 20; i++) await undefined;
  pipe.cancel();
  assertEquals((await read).done, true);
  await share;
  await settled();
  assertEquals([listener.calls, pipe.isEmpty], [["asked", "cancelled"], true]);
});

Deno.test("The writer is notified of what its reader does", async () => {
  const pipe = createPipe();
  const listener = pipe.listener = new Listener();
  pipe.write("a");
  await settled();
  assertEquals(listener.calls, []);
  await pipe.read();
  assertEquals(listener.calls.splice(0), ["asked", "taken a"]);
  const waiting = pipe.read();
  await settled();
  assertEquals(listener.calls.splice(0), ["asked"]);
  pipe.write("b");
  await waiting;
  pipe.cancel();
  assertEquals(listener.calls, ["taken b", "cancelled"]);
});

Deno.test("A reader that asks for what is there leaves others their share", async () => {
  const pipe = createPipe(Infinity);
  for (let i = 0; i < 100_000; i++) pipe.write("x");
  let turns = 0;
  let immediate = setImmediate(function onTurn() {
    turns++;
    immediate = setImmediate(onTurn);
  });
  for (let i = 0; i < 100_000; i++) await pipe.read();
  clearImmediate(immediate);
  assertLess(60, turns);
});

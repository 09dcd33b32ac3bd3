// How many connections begin to read in one turn of the event loop, and what
// becomes of the others.

import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../src/net/connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import { ReadPace } from "../../src/net/read_pace.ts";
import { bounded } from "../e2e/_testing.ts";
import { unawaited } from "../_unawaited.ts";

const MAX_READS = 96;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("ReadPace lets as many begin in one turn as it may, and the others soon", async () => {
  const pace = new ReadPace();
  const waits = Array.from({ length: 250 }, () => pace.begin());
  const late = waits.flatMap((wait) => wait ?? []);
  assertEquals(waits.findIndex((wait) => wait !== undefined), MAX_READS);
  assertEquals(late.length, 250 - MAX_READS);
  await bounded(Promise.all(late), "those that are late");
});

Deno.test("ReadPace lets those that are late begin in their order", async () => {
  const pace = new ReadPace();
  for (let i = 0; i < MAX_READS; i++) unawaited(pace.begin());
  const order: number[] = [];
  const late = [0, 1, 2].map((n) => pace.begin()!.then(() => order.push(n)));
  await bounded(Promise.all(late), "those that are late");
  assertEquals(order, [0, 1, 2]);
});

Deno.test("ReadPace counts anew in each turn", async () => {
  const pace = new ReadPace();
  for (let round = 0; round < 5; round++) {
    const { turn } = pace;
    for (let i = 0; i < MAX_READS; i++) assertEquals(pace.begin(), undefined);
    await nextTurn();
    assert(pace.turn > turn);
  }
});

/** Gives "x" at each read; counts the reads that have begun. */
class BusyConn {
  reads = 0;
  readonly remoteAddr: Deno.Addr = { transport: "unix", path: "/test" };
  readonly localAddr: Deno.Addr = { transport: "unix", path: "/test" };

  read(target: Uint8Array): Promise<number> {
    this.reads++;
    target[0] = 0x78;
    return Promise.resolve(1);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

/** Many connections that have all been asked for their first bytes. */
function readAll(count: number) {
  const clock = new DeadlineClock(1000);
  const conns = Array.from({ length: count }, () => new BusyConn());
  const connections = conns.map((conn) =>
    new Connection(conn, { writeTimeout: 1000, clock })
  );
  const readers = connections.map(({ readable }) => readable.getReader());
  const reads = readers.map((reader) => reader.read());
  return {
    conns,
    connections,
    readers,
    reads,
    [Symbol.dispose](): void {
      for (const connection of connections) connection.close();
    },
  };
}

Deno.test("connections read a moment later when too many begin at once", async () => {
  await nextTurn();
  using busy = readAll(300);
  const begun = busy.conns.filter(({ reads }) => reads > 0).length;
  assert(begun <= MAX_READS, `${begun} have begun`);
  const results = await bounded(Promise.all(busy.reads), "all reads");
  assert(results.every(({ value }) => value?.length === 1));
  assertEquals(busy.conns.map(({ reads }) => reads), Array(300).fill(1));
});

Deno.test("a connection that has begun in this turn reads on without a wait", async () => {
  await nextTurn();
  using busy = readAll(1);
  await busy.reads[0];
  for (let i = 0; i < 1000; i++) await busy.readers[0].read();
  assertEquals(busy.conns[0].reads, 1001);
});

Deno.test("a connection that is closed before its turn reads nothing", async () => {
  await nextTurn();
  using busy = readAll(300);
  const late = busy.conns.findIndex(({ reads }) => reads === 0);
  assert(late !== -1);
  busy.connections[late].close();
  await bounded(
    busy.reads[late].then(
      () => assert(false, "The read gave something"),
      (error) => assert(error instanceof Deno.errors.Interrupted),
    ),
    "the read of the closed connection",
  );
  await bounded(Promise.allSettled(busy.reads), "the other reads");
  assertEquals(busy.conns[late].reads, 0);
});

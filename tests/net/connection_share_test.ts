// A socket that always has data must not keep the event loop from whatever else
// there is to do.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connection } from "../../src/net/connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import { letsOthersIn } from "../_lets_others_in.ts";

const MANY = 10_000;
const KIBIBYTE = 1024;
const MAX_READ_BYTES = 128 * KIBIBYTE;

/** Fills whatever is to be read into, at once. */
class BusyConn {
  reads = 0;
  largestRead = 0;
  /** How much there is for each read. */
  available = Infinity;
  readonly remoteAddr: Deno.Addr = { transport: "unix", path: "/test" };
  readonly localAddr: Deno.Addr = { transport: "unix", path: "/test" };

  read(target: Uint8Array): Promise<number> {
    this.reads++;
    this.largestRead = Math.max(this.largestRead, target.length);
    return Promise.resolve(Math.min(this.available, target.length));
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

function connect() {
  const conn = new BusyConn();
  const clock = new DeadlineClock(1000);
  const connection = new Connection(conn, { writeTimeout: 1000, clock });
  const reader = connection.readable.getReader();
  return {
    conn,
    connection,
    reader,
    [Symbol.dispose]: () => connection.close(),
  };
}

for (const available of [1, Infinity]) {
  Deno.test(`a connection whose reads give ${available} bytes lets others in`, async () => {
    using busy = connect();
    busy.conn.available = available;
    const letIn = await letsOthersIn(async () => {
      for (let i = 0; i < MANY; i++) await busy.reader.read();
    });
    assert(letIn, "All was read in one turn");
    assertEquals(busy.conn.reads, MANY);
  });
}

Deno.test("a connection that is closed while it waits for others reads no more", async () => {
  using busy = connect();
  setImmediate(() => busy.connection.close());
  await assertRejects(
    async () => {
      for (let i = 0; i < MANY; i++) await busy.reader.read();
    },
    Deno.errors.Interrupted,
  );
  const { reads } = busy.conn;
  assert(reads < MANY);
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(busy.conn.reads, reads);
});

Deno.test("a read asks for no more than 128 KiB, however much there is", async () => {
  using busy = connect();
  for (let i = 0; i < 100; i++) await busy.reader.read();
  assertEquals(busy.conn.largestRead, MAX_READ_BYTES);
});

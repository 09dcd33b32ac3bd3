// The stream below a `TLSSocket`: when it writes, when it makes room for more,
// and how it ends.

import { assertEquals, assertRejects } from "@std/assert";
import { CiphertextStream } from "../../src/net/ciphertext_stream.ts";
import type { SocketConn } from "../../src/net/connection.ts";

/** A connection that takes at most `most` bytes with each write. */
function sink(most = Infinity): SocketConn & { written: number[] } {
  const written: number[] = [];
  const write = (bytes: Uint8Array) => {
    const length = Math.min(most, bytes.length);
    written.push(length);
    return Promise.resolve(length);
  };
  return { written, write } as unknown as ReturnType<typeof sink>;
}

const RECORD = new Uint8Array(100);

Deno.test("CiphertextStream hands on what it is fed", () => {
  const stream = new CiphertextStream(sink());
  const fed: Uint8Array[] = [];
  stream.on("data", (bytes: Uint8Array) => fed.push(bytes));
  stream.feed(RECORD);
  assertEquals(fed, [RECORD]);
});

Deno.test("CiphertextStream writes all of a record that is taken in parts", async () => {
  const conn = sink(40);
  const stream = new CiphertextStream(conn);
  const flushed = stream.flush(80);
  assertEquals(stream.write(RECORD, () => {}), false);
  await flushed;
  assertEquals(conn.written, [40, 40, 20]);
});

Deno.test("CiphertextStream calls back after a record when the next flush begins", async () => {
  const stream = new CiphertextStream(sink());
  let calls = 0;
  const flushed = stream.flush(80);
  stream.write(RECORD, () => calls++);
  await flushed;
  assertEquals(calls, 0);
  const next = stream.flush(80);
  assertEquals(calls, 1);
  stream.write(RECORD, () => calls++);
  await next;
});

Deno.test("CiphertextStream calls back at once while records are missing", async () => {
  const conn = sink();
  const stream = new CiphertextStream(conn);
  const flushed = stream.flush(150);
  stream.write(RECORD, () => stream.write(RECORD, () => {}));
  await flushed;
  assertEquals(conn.written, [100, 100]);
});

Deno.test("CiphertextStream rejects flushes once it is closed", async () => {
  const stream = new CiphertextStream(sink());
  const pending = stream.flush(80);
  const reason = new Error("closed");
  stream.close(reason);
  await assertRejects(() => pending, Error, "closed");
  await assertRejects(() => stream.flush(80), Error, "closed");
});

Deno.test("CiphertextStream rejects a flush whose write fails", async () => {
  const write = () => Promise.reject(new Error("reset"));
  const stream = new CiphertextStream({ write } as unknown as SocketConn);
  const flushed = stream.flush(80);
  stream.write(RECORD, () => {});
  await assertRejects(() => flushed, Error, "reset");
});

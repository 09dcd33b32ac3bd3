// The end of a connection: what the client still sends is read, for a while.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { linger } from "../../src/http/linger.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import { MemoryTransport } from "../http/_memory_transport.ts";
import { settled } from "../_turns.ts";

function lingering(): {
  transport: MemoryTransport;
  reader: ByteReader;
  done: Promise<void>;
} {
  const transport = new MemoryTransport();
  const reader = new ByteReader(transport.readable);
  return { transport, reader, done: linger(transport, reader, 1_000) };
}

Deno.test("linger() says that nothing more comes, and reads to the client's end", async () => {
  const { transport, reader, done } = lingering();
  await settled();
  assert(transport.writeClosed);
  assertEquals(transport.readDeadline.armed, 1_000);
  transport.push("late", "later");
  transport.end();
  await done;
  assertEquals([reader.buffered, transport.reads], [0, 2]);
  assertEquals(transport.readDeadline.armed, undefined);
});

Deno.test("linger() waits for a client that stays no longer than it may", async () => {
  const { transport, done } = lingering();
  await settled();
  transport.readDeadline.expire();
  await done;
  assertEquals(transport.events, ["closeWrite", "endRead"]);
});

Deno.test("linger() rejects if the client is lost, and leaves no deadline", async () => {
  const { transport, done } = lingering();
  await settled();
  transport.lose();
  await assertRejects(() => done, Error, "Connection reset");
  assertEquals(transport.readDeadline.armed, undefined);
});

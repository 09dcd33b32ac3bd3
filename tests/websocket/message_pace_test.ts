// How slowly a message may arrive: what begins must go on, by 64 KiB or to its
// end, and no slower; and a client that is not read, or idle, has all its time.

import { assertEquals } from "@std/assert";
import { connect, type MemoryStream } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  PING,
  TEXT,
} from "./_frames.ts";
import { settled } from "../_turns.ts";

/** What the deadlines of a client were armed for; those that passed are not. */
function armed({ deadlines }: MemoryStream): (number | undefined)[] {
  return deadlines.map(({ armedFor }) => armedFor);
}

/** Notes that the time that has passed so far is some of what there is. */
function letTimePass(client: MemoryStream): void {
  client.deadlines[0].armedFor = -1;
}

Deno.test("A message that has begun must end in time", async () => {
  const { connection, client } = connect({ messageTimeout: 700 });
  const received = connection.receive();
  assertEquals(armed(client), []);
  client.feed(clientFrame(TEXT, "half", { fin: false }));
  await settled();
  assertEquals(armed(client), [700]);
  client.deadlines[0].expire();
  assertEquals(await received, {
    type: "close",
    code: 1008,
    reason: "Cannot read message: it comes too slowly",
  });
  await connection.closed;
  assertEquals(client.sent.map((frame) => frame.slice(0, 10)), ["close 1008"]);
  assertEquals(armed(client), []);
});

Deno.test("The first byte of a frame begins a message", async () => {
  const { connection, client } = connect();
  const received = connection.receive();
  for (const byte of clientFrame(TEXT, "x".repeat(200)).subarray(0, 7)) {
    client.feed(new Uint8Array([byte]));
    await settled();
    assertEquals(armed(client).length, 1);
    if (client.deadlines[0].armedFor !== -1) letTimePass(client);
  }
  client.deadlines[0].expire();
  const end = await received;
  assertEquals(end.type === "close" && end.code, 1008);
  await connection.closed;
});

Deno.test("Neither few bytes, nor empty fragments, nor pings are progress", async () => {
  const { connection, client } = connect({ messageTimeout: 700 });
  client.feed(clientFrame(BINARY, "begun", { fin: false }));
  await settled();
  letTimePass(client);
  for (
    const bytes of [
      clientFrame(CONTINUATION, "", { fin: false }),
      clientFrame(PING),
      clientFrame(CONTINUATION, new Uint8Array(60_000), { fin: false }),
      clientFrame(CONTINUATION, new Uint8Array(5_000)).subarray(0, 5_000),
    ]
  ) {
    client.feed(bytes);
    await settled();
    assertEquals(armed(client), [-1]);
  }
  connection.abort();
  assertEquals(armed(client), []);
});

Deno.test("Each further 64 KiB of a message are progress", async () => {
  const { connection, client } = connect({ messageTimeout: 700 });
  for (let message = 0; message < 2; message++) {
    const fin = false;
    client.feed(clientFrame(BINARY, new Uint8Array(30_000), { fin }));
    await settled();
    for (let i = 0; i < 3; i++) {
      letTimePass(client);
      client.feed(clientFrame(CONTINUATION, new Uint8Array(65_536), { fin }));
      await settled();
      assertEquals(armed(client), [700]);
    }
    client.feed(clientFrame(CONTINUATION, "end"));
    await connection.receive();
    await settled();
    assertEquals(armed(client), []);
  }
  connection.abort();
});

Deno.test("A message has its own time, though it begins where another one ends", async () => {
  const { connection, client } = connect({ messageTimeout: 700 });
  const half = clientFrame(TEXT, "abcdef").subarray(0, 8);
  const rest = clientFrame(TEXT, "abcdef").subarray(8);
  client.feed(half);
  await settled();
  for (let i = 0; i < 3; i++) {
    letTimePass(client);
    client.feed(concat([rest, half]));
    await connection.receive();
    await settled();
    assertEquals(armed(client), [700]);
  }
  connection.abort();
});

Deno.test("A client that is not read is not too slow", async () => {
  const { connection, client } = connect({ readAheadBytes: 10 });
  const unread = clientFrame(TEXT, "unread");
  client.feed(unread.subarray(0, 8));
  await settled();
  assertEquals(armed(client), [60_000]);
  client.feed(concat([
    unread.subarray(8),
    clientFrame(TEXT, "half", { fin: false }),
  ]));
  await settled();
  assertEquals(armed(client), []);
  await connection.receive();
  await settled();
  assertEquals(armed(client), [60_000]);
  connection.abort();
});

Deno.test("A client that is idle is not too slow", async () => {
  const { connection, client } = connect();
  client.feed(clientFrame(TEXT, "whole"), clientFrame(PING));
  await connection.receive();
  await settled();
  assertEquals(armed(client), []);
  connection.abort();
});

Deno.test("After a close, closeTimeout holds and no other", async () => {
  const { connection, client } = connect({ closeTimeout: 300 });
  client.feed(clientFrame(TEXT, "half", { fin: false }));
  await settled();
  await connection.close();
  assertEquals(armed(client), []);
  client.feed(clientFrame(CONTINUATION, "half", { fin: false }));
  await settled();
  assertEquals([armed(client), client.deadline.armedFor], [[], 300]);
  client.feed(closeFrame(1000));
  await connection.closed;
});

Deno.test("Without messageTimeout, a message may take for ever", async () => {
  const { connection, client } = connect({ messageTimeout: Infinity });
  client.feed(clientFrame(TEXT, "half", { fin: false }));
  await settled();
  assertEquals(armed(client), []);
  connection.abort();
});

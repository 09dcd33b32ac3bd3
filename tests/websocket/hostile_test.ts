// Clients that keep to the grammar, and mean harm: endless messages of nothing,
// lengths that nothing can have, floods when all has been said.

import { assert, assertEquals } from "@std/assert";
import { BufferBudget } from "../../src/websocket/buffer_budget.ts";
import { connect } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  PING,
  PONG,
  TEXT,
} from "./_frames.ts";
import { settled } from "../_turns.ts";

/** A frame many times over, as one chunk. */
function many(count: number, frame: Uint8Array): Uint8Array {
  return concat(Array<Uint8Array>(count).fill(frame));
}

Deno.test("Very many empty fragments are no progress of a message, but part of it", async () => {
  const { connection, client } = connect({ messageTimeout: 700 });
  client.feed(clientFrame(TEXT, "a", { fin: false }));
  await settled();
  const [deadline] = client.deadlines;
  const nothing = clientFrame(CONTINUATION, "", { fin: false });
  for (let i = 0; i < 20; i++) client.feed(many(10_000, nothing));
  client.feed(clientFrame(CONTINUATION, "b"));
  assertEquals(await connection.receive(), { type: "message", data: "ab" });
  assertEquals([deadline.arms, client.deadlines], [1, []]);
  connection.abort();
});

Deno.test("A frame that is announced to be longer than all memory is refused at once", async () => {
  for (const length of [2n ** 62n, 2n ** 53n, 2n ** 32n, 2n ** 24n + 1n]) {
    const { connection, client } = connect();
    client.feed(clientFrame(BINARY, "", { length }));
    const end = await connection.receive();
    assertEquals(end.type === "close" && end.code, 1009, `${length}`);
    await connection.closed;
  }
});

Deno.test("A frame that is announced to be as long as it may be takes what has come", async () => {
  const budget = new BufferBudget(Infinity);
  const { connection, client } = connect({ budget });
  const length = 2n ** 24n;
  client.feed(clientFrame(BINARY, new Uint8Array(100_000), { length }));
  await settled();
  assertEquals(budget.used, 200_000);
  connection.abort();
});

Deno.test("A flood after the server's close is dropped, and does not put off the end", async () => {
  const budget = new BufferBudget(Infinity);
  const { connection, client } = connect({ budget, closeTimeout: 300 });
  await connection.close(1000);
  client.deadline.armedFor = -1;
  for (let i = 0; i < 20; i++) {
    client.feed(clientFrame(BINARY, new Uint8Array(100_000)));
    client.feed(clientFrame(BINARY, new Uint8Array(100_000), { fin: false }));
    client.feed(clientFrame(CONTINUATION, "end"));
    client.feed(many(1000, clientFrame(PING)), many(1000, clientFrame(PONG)));
  }
  await settled();
  assertEquals(budget.used, 0);
  assertEquals(client.sent, ["close 1000"]);
  assertEquals([client.deadline.armedFor, client.deadlines], [-1, []]);
  client.deadline.expire();
  await connection.closed;
  assert(client.aborted);
});

Deno.test("A flood after the client's close is not read", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame(1000));
  await settled();
  const { reads } = client;
  for (let i = 0; i < 100; i++) client.feed(many(1000, clientFrame(PING)));
  await settled();
  assertEquals(client.reads, reads);
  await connection.receive();
  await connection.closed;
  assertEquals(client.sent, ["close 1000"]);
});

// The memory of all connections together: what counts in the budget they share,
// from when a message arrives until the next one is asked for; that the one that
// asks for too much is refused, and nobody else; and that all is given back.

import { deflateRawSync } from "node:zlib";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  BufferBudget,
  type BufferMeter,
} from "../../src/websocket/buffer_budget.ts";
import type { WebSocketConnectionOptions } from "../../src/websocket/connection_options.ts";
import { negotiateDeflate } from "../../src/websocket/deflate_offer.ts";
import { parseExtensions } from "../../src/websocket/extensions.ts";
import { DEFAULT_COMPRESSION_OPTIONS } from "../../src/websocket/options.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { unawaited } from "../_unawaited.ts";
import { connect, type Connected } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  TEXT,
  utf8,
} from "./_frames.ts";
import { settled } from "../_turns.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const DEFLATE = negotiateDeflate(
  parseExtensions("permessage-deflate")!,
  DEFAULT_COMPRESSION_OPTIONS,
);

/** Connections that share a budget. */
function connectAll(
  count: number,
  budget: BufferBudget,
  options: WebSocketConnectionOptions = {},
): Connected[] {
  return Array.from(
    { length: count },
    () => connect({ ...options, deflate: DEFLATE, budget }),
  );
}

/** A message that is not complete, of zeros that are compressed or not. */
function unfinished(size: number, compressed: boolean): Uint8Array {
  const content = new Uint8Array(size);
  return compressed
    ? clientFrame(BINARY, deflateRawSync(content), { rsv: 4, fin: false })
    : clientFrame(BINARY, content, { fin: false });
}

/** Waits until every connection has dealt with what was sent to it. */
async function dealtWith(budget: BufferBudget): Promise<void> {
  for (let before = -1; before !== budget.used;) {
    before = budget.used;
    for (let i = 0; i < 8; i++) await settled();
  }
}

async function end(connected: readonly Connected[]): Promise<void> {
  for (const { connection } of connected) {
    connection.abort();
    connection.releaseMessages();
    await connection.closed;
  }
  await settled();
}

Deno.test("BufferBudget counts buffers of more than 64 KiB, up to its size", () => {
  const meter: BufferMeter = { bufferedBytes: 0, bufferRefusals: 0 };
  const budget = new BufferBudget(1_000_000, meter);
  budget.resize(0, 64 * KIB);
  assertEquals(budget.used, 0);
  budget.resize(64 * KIB, 500_000);
  budget.resize(500_000, 600_000);
  budget.resize(0, 400_000);
  assertEquals([budget.used, meter.bufferedBytes], [1_000_000, 1_000_000]);
  const refused = [[0, 65_537], [600_000, 600_001]] as const;
  for (const [from, to] of refused) {
    const error = assertThrows(() => budget.resize(from, to), WebSocketError);
    assertEquals([error.code, budget.used], [1013, 1_000_000]);
  }
  assertEquals(meter.bufferRefusals, 2);
  budget.resize(0, 64 * KIB);
  budget.resize(600_000, 1000);
  budget.resize(400_000, 0);
  assertEquals([budget.used, meter.bufferedBytes], [0, 0]);
});

for (const compressed of [true, false]) {
  const kind = compressed ? "compressed" : "plain";

  Deno.test(`Unfinished ${kind} messages are held up to the budget`, async () => {
    const budget = new BufferBudget(8 * MIB);
    const hogs = connectAll(20, budget);
    for (const { connection, client } of hogs) {
      client.feed(unfinished(1 * MIB, compressed));
      unawaited(connection.receive());
    }
    await dealtWith(budget);
    assert(budget.used > 4 * MIB && budget.used <= 8 * MIB, `${budget.used}`);
    const refused = hogs.filter(({ client }) => client.writes.length > 0);
    assert(refused.length >= 12 && refused.length < 20, `${refused.length}`);
    for (const { client } of refused) {
      assertEquals(client.sent.map((frame) => frame.slice(0, 10)), [
        "close 1013",
      ]);
    }
    await end(hogs);
    assertEquals(budget.used, 0);
  });
}

Deno.test("What was refused is given back at once, and there is room again", async () => {
  const budget = new BufferBudget(3 * MIB);
  const [first, second, third] = connectAll(3, budget);
  first.client.feed(unfinished(1.5 * MIB, true));
  await dealtWith(budget);
  const held = budget.used;
  assertLess(1.5 * MIB - 1, held);
  second.client.feed(unfinished(2 * MIB, true));
  await second.connection.receive();
  await settled();
  assertEquals(second.client.sent[0].slice(0, 10), "close 1013");
  assertEquals([budget.used, first.client.sent], [held, []]);
  first.connection.abort();
  await settled();
  assertEquals(budget.used, 0);
  const whole = new Uint8Array(2 * MIB);
  const payload = deflateRawSync(whole, { finishFlush: 2 });
  third.client.feed(clientFrame(BINARY, payload, { rsv: 4 }));
  assertEquals(await third.connection.receive(), {
    type: "message",
    data: whole,
  });
  await end([first, second, third]);
});

Deno.test("Small messages pass although the budget is used up", async () => {
  const budget = new BufferBudget(MIB);
  const [hog, honest] = connectAll(2, budget);
  hog.client.feed(clientFrame(BINARY, new Uint8Array(1 * MIB)));
  await dealtWith(budget);
  assertEquals(budget.used, 1 * MIB);
  const small = new Uint8Array(64 * KIB);
  for (let i = 0; i < 10; i++) {
    honest.client.feed(clientFrame(BINARY, small));
    honest.client.feed(clientFrame(TEXT, utf8("x".repeat(32 * KIB))));
    const parts = [small.subarray(0, 40_000), small.subarray(40_000)];
    honest.client.feed(clientFrame(BINARY, parts[0], { fin: false }));
    honest.client.feed(clientFrame(CONTINUATION, parts[1]));
  }
  await settled();
  for (let i = 0; i < 30; i++) {
    assertEquals((await honest.connection.receive()).type, "message");
  }
  assertEquals(honest.client.sent, []);
  await end([hog, honest]);
});

Deno.test("A message counts until the next one is asked for", async () => {
  const budget = new BufferBudget(Infinity);
  const [{ connection, client }] = connectAll(1, budget);
  const content = new Uint8Array(100_000);
  client.feed(clientFrame(BINARY, content), clientFrame(BINARY, content));
  await dealtWith(budget);
  assertEquals(budget.used, 100_000); // The second one is not read yet.
  await connection.receive();
  await dealtWith(budget);
  assertEquals(budget.used, 200_000);
  await connection.receive();
  assertEquals(budget.used, 100_000);
  const next = connection.receive();
  assertEquals(budget.used, 0);
  client.feed(clientFrame(BINARY, content));
  await next;
  assertEquals(budget.used, 100_000);
  await connection.close();
  client.feed(closeFrame(1000));
  await connection.closed;
  // Its receiver may still have it.
  assertEquals(budget.used, 100_000);
  connection.releaseMessages();
  assertEquals(budget.used, 0);
});

Deno.test("Text counts for what it takes in memory", async () => {
  const budget = new BufferBudget(Infinity);
  const [{ connection, client }] = connectAll(1, budget);
  client.feed(clientFrame(TEXT, "x".repeat(99_999) + "漢"));
  await connection.receive();
  assertEquals(budget.used, 200_000);
  connection.releaseMessages();
  assertEquals(budget.used, 0);
  connection.abort();
});

Deno.test("What nobody has received counts until it is released", async () => {
  const budget = new BufferBudget(Infinity);
  const [{ connection, client }] = connectAll(1, budget);
  client.feed(clientFrame(BINARY, new Uint8Array(100_000)), closeFrame(1000));
  await dealtWith(budget);
  client.lose();
  connection.abort();
  await connection.closed;
  assertEquals(budget.used, 100_000);
  connection.releaseMessages();
  assertEquals(budget.used, 0);
  assertEquals((await connection.receive()).type, "close");
});

Deno.test("What comes when nobody will receive is not kept", async () => {
  const budget = new BufferBudget(Infinity);
  const [{ connection, client }] = connectAll(1, budget);
  connection.releaseMessages();
  const large = clientFrame(BINARY, new Uint8Array(100_000));
  for (let i = 0; i < 5; i++) client.feed(large);
  await dealtWith(budget);
  assertEquals(budget.used, 0);
  connection.abort();
});

Deno.test("A buffer is given back when the connection ends, however it ends", async () => {
  const ways: ((connected: Connected) => unknown)[] = [
    ({ connection }) => connection.abort(),
    ({ connection }) => connection.close(1000),
    ({ client }) => client.end(),
    ({ client }) => client.lose(),
    ({ client }) => client.feed(clientFrame(3)),
    ({ client }) => client.feed(closeFrame(1000)),
  ];
  for (const compressed of [true, false]) {
    for (const way of ways) {
      const budget = new BufferBudget(Infinity);
      const [connected] = connectAll(1, budget);
      connected.client.feed(unfinished(100_000, compressed));
      await dealtWith(budget);
      assertLess(99_999, budget.used);
      await way(connected);
      await settled();
      assertEquals(budget.used, 0, `${way}`);
      connected.connection.abort();
    }
  }
});

Deno.test("A message that is inflated when the connection ends takes nothing any more", async () => {
  for (const end of ["abort", "close"] as const) {
    const budget = new BufferBudget(Infinity);
    const [{ connection, client }] = connectAll(1, budget);
    client.feed(unfinished(15 * MIB, true));
    while (budget.used === 0) await settled();
    assertLess(budget.used, 15 * MIB);
    await connection[end]();
    await dealtWith(budget);
    assertEquals(budget.used, 0);
    // A close still waits for the client's, which comes.
    assertEquals(client.deadline.armedFor, end === "close" ? 5_000 : undefined);
    client.feed(closeFrame(1000));
    await settled();
    assertEquals(client.deadline.armedFor, undefined);
    await connection.closed;
  }
});

Deno.test("A message never takes more than maxMessageBytes while it arrives", async () => {
  const budget = new BufferBudget(MIB);
  const options = { maxMessageBytes: 1 * MIB };
  const [{ connection, client }] = connectAll(1, budget, options);
  const content = new Uint8Array(1 * MIB);
  const payload = deflateRawSync(content, { finishFlush: 2 });
  client.feed(clientFrame(BINARY, payload, { rsv: 4 }));
  const message = await connection.receive();
  assert(message.type === "message" && message.data.length === 1 * MIB);
  connection.releaseMessages();
  connection.abort();
});

Deno.test("A compressed message that goes on without content is refused", async () => {
  const [{ connection, client }] = connectAll(1, new BufferBudget(Infinity), {
    maxMessageBytes: 10_000,
  });
  const emptyBlocks = concat(
    Array(200).fill(new Uint8Array([0, 0, 0, 255, 255])),
  );
  client.feed(clientFrame(BINARY, emptyBlocks, { rsv: 4, fin: false }));
  for (let i = 0; i < 21; i++) {
    client.feed(clientFrame(CONTINUATION, emptyBlocks, { fin: false }));
  }
  const end = await connection.receive();
  assertEquals(end.type === "close" && end.code, 1009);
  connection.abort();
});

Deno.test("A compressed frame that is announced to be too long is refused at once", async () => {
  const [{ connection, client }] = connectAll(1, new BufferBudget(Infinity));
  client.feed(
    clientFrame(BINARY, "", { rsv: 4, length: 2n ** 40n }),
  );
  const end = await connection.receive();
  assertEquals(end.type === "close" && end.code, 1009);
  connection.abort();
});

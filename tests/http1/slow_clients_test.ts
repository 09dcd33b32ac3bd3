// Clients that take their responses slowly, in small pieces, never, or not to
// the end. Whatever they do, it ends their own connection at most: a rejection
// that nobody handles would fail these tests, as it would end a server.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { bytes } from "../_feeding.ts";
import {
  type InMemory,
  type Misbehaviour,
  readContent,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { parseResponses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const EXPECTING =
  "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";

/** Sizes of content below and above what may wait to be written. */
const SIZES = [10, 5_000, 20_000, 33_000, 100_000];

/** Answers with so many bytes: at once, or in chunks of 7,000. */
function answerOf(
  size: number,
  framing: "length" | "chunked",
): (exchange: Http1Exchange) => Promise<void> {
  const content = bytes(pattern(size));
  return async (exchange) => {
    await readContent(exchange);
    if (framing === "length") {
      exchange.head(200, [["content-length", String(size)]]);
      return await exchange.data(content, true);
    }
    exchange.head(200, []);
    for (let at = 0; at < size; at += 7_000) {
      await exchange.data(content.subarray(at, at + 7_000), false);
    }
    await exchange.data(new Uint8Array(0), true);
  };
}

/** Text of so many bytes, in which no part is like another. */
function pattern(size: number): string {
  let text = "";
  for (let line = 0; text.length < size; line++) text += `line ${line}\n`;
  return text.slice(0, size);
}

/** How a connection comes to its end while its client takes nothing. */
const ENDINGS: Record<string, (served: InMemory) => void> = {
  "the client resets it": ({ transport }) => transport.lose(),
  "a write fails before a read": ({ transport }) => transport.breakWrites(),
  "the write deadline passes": ({ transport }) => transport.close(),
  "the server aborts it": ({ connection }) => connection.abort(),
};

for (const [ending, end] of Object.entries(ENDINGS)) {
  for (const framing of ["length", "chunked"] as const) {
    Deno.test(`A client that never reads ends its connection alone, ${framing} content, when ${ending}`, async () => {
      for (const size of SIZES) {
        const served = serveInMemory(answerOf(size, framing));
        served.transport.stallWrites();
        served.transport.push(...Array<string>(20).fill(GET.repeat(1_000)));
        await settled();
        assert(served.transport.reads < 20, "What it sends is read on and on");
        end(served);
        await within(served.done.catch(() => {}));
        await settled();
        assert(served.transport.closed);
        assertEquals(served.transport.readDeadline.armed, undefined);
      }
    });
  }
}

Deno.test("run() rejects with what a write has failed with, idle or not", async () => {
  for (const size of SIZES) {
    const { transport, done } = serveInMemory(answerOf(size, "chunked"));
    transport.stallWrites();
    transport.push(GET);
    await settled();
    transport.breakWrites(new RangeError("Write failed"));
    await assertRejects(() => within(done), RangeError, "Write failed");
    assert(transport.closed);
  }
});

Deno.test("run() rejects with what a write has failed with, even if the handler overlooks it", async () => {
  const { transport, done, exchanges } = serveInMemory(async (exchange) => {
    await answerOf(100_000, "chunked")(exchange).catch(() => {});
  });
  transport.stallWrites();
  transport.push(GET);
  await settled();
  transport.breakWrites(new RangeError("Write failed"));
  await assertRejects(() => within(done), RangeError, "Write failed");
  assertEquals(exchanges[0].disconnect, "lost");
  assert(exchanges[0].aborted);
});

/** What the client of a burst gets, and how. */
async function burst(
  framing: "length" | "chunked",
  misbehaviour: Misbehaviour = {},
  size = 100,
): Promise<InMemory> {
  // The content comes late enough for a 100.
  const late = { readDelays: [30], ...misbehaviour };
  const served = serveInMemory(answerOf(size, framing), {}, late);
  served.transport.push(GET + EXPECTING, "a", "bc" + GET + GET.slice(0, 9));
  served.transport.push(GET.slice(9));
  served.transport.end();
  await within(served.done.catch(() => {}));
  await settled();
  return served;
}

for (const framing of ["length", "chunked"] as const) {
  Deno.test(`A connection may break at any byte of its responses, ${framing}`, async () => {
    const { transport: { output } } = await burst(framing);
    assertEquals(parseResponses(output).length, 5);
    for (let at = 0; at < output.length; at++) {
      const { transport } = await burst(framing, { brokenAfter: at });
      assertEquals(transport.output, output.slice(0, at));
      assert(transport.closed, `It stays open after ${at} bytes`);
    }
  });

  Deno.test(`Responses are the same, however slowly they are taken, ${framing}`, async () => {
    for (const size of SIZES) {
      const expected = Array<string>(4).fill(pattern(size));
      for (const piece of [Infinity, 10_007, 997]) {
        for (const writeDelays of [[0], [1], [5, 0, 17], [40]]) {
          const misbehaviour = { piece, writeDelays };
          const { transport } = await burst(framing, misbehaviour, size);
          const contents = parseResponses(transport.output)
            .filter(({ status }) => status === 200).map(({ body }) => body);
          const how = JSON.stringify({ size, ...misbehaviour });
          assert(contents.join() === expected.join(), how);
        }
      }
    }
  });
}

Deno.test("A client that half-closes gets its whole response, however late it takes it", async () => {
  const { transport, done } = serveInMemory(answerOf(20_000, "length"));
  transport.stallWrites();
  transport.push(GET);
  transport.end();
  await settled();
  assertFalse(transport.closed);
  transport.acceptWrites();
  await within(done);
  assertEquals(parseResponses(transport.output)[0].body, pattern(20_000));
});

Deno.test("A connection whose response is not taken yet is not evictable, and keepAliveTimeout does not cut it", async () => {
  const { transport, connection, done } = serveInMemory(
    answerOf(20_000, "length"),
  );
  transport.stallWrites();
  transport.push(GET);
  await settled();
  assertFalse(connection.evictable);
  connection.evict();
  transport.readDeadline.expire();
  await settled();
  assertFalse(transport.closed);
  transport.acceptWrites();
  await within(done);
  assertEquals(parseResponses(transport.output)[0].body, pattern(20_000));
});

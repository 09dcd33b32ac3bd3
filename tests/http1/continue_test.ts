// The 100 that a client may wait for before it sends its content.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { everyFeeding } from "../_feeding.ts";
import {
  echo,
  microtasks,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";
import { exchangeOne, request } from "./_exchanging.ts";
import { settledSoon as settled } from "../_turns.ts";

// 100 Continue.

const EXPECTING = request(
  "POST / HTTP/1.1",
  "Expect: 100-continue",
  "Content-Length: 5",
);

Deno.test("The 100 is sent when the content is asked for, once", async () => {
  let ask = (): void => {};
  const asked = new Promise<void>((resolve) => ask = resolve);
  const { transport, done } = serveInMemory(async (exchange) => {
    await asked;
    await echo(exchange);
  });
  transport.push(EXPECTING);
  await settled();
  assertEquals(transport.output, "");
  ask();
  await settled();
  assertEquals(statuses(transport.output), [100]);
  transport.push("he");
  await settled();
  transport.push("llo");
  await settled();
  const [, response] = parseResponses(transport.output);
  assertEquals(response.body, "POST / hello");
  assertEquals(header(response, "connection"), undefined);
  transport.push(request("GET /next HTTP/1.1"));
  await settled();
  assertEquals(statuses(transport.output), [100, 200, 200]);
  transport.end();
  await within(done);
});

Deno.test("A response without asking for the content closes the connection", async () => {
  const { output, stayedOpen } = await exchangeOne(
    EXPECTING,
    (exchange) => respond(exchange, "no need"),
  );
  const [response, ...others] = parseResponses(output);
  assertEquals(others, []);
  assertEquals(response.status, 200);
  assertEquals(header(response, "connection"), "close");
  assertFalse(stayedOpen);
});

Deno.test("What comes after a 100 that was never sent is not served", async () => {
  const { output, exchanges } = await exchangeOne(
    EXPECTING + request("GET /smuggled HTTP/1.1"),
    (exchange) => respond(exchange, "no need"),
  );
  assertEquals(statuses(output), [200]);
  assertEquals(exchanges.length, 1);
});

Deno.test("Content that came at once is read without a 100, and the connection stays", async () => {
  const { output, stayedOpen } = await exchangeOne(EXPECTING + "hello", echo);
  const [response, ...others] = parseResponses(output);
  assertEquals(others, []);
  assertEquals(response.body, "POST / hello");
  assertEquals(header(response, "connection"), undefined);
  assert(stayedOpen);
});

/** The content of a client that does not wait for the 100, in its framings. */
const UNAWAITED = {
  "of a length": request(
    "POST / HTTP/1.1",
    "Expect: 100-continue",
    "Content-Length: 5",
  ) + "hello",
  "in chunks": request(
    "POST / HTTP/1.1",
    "Expect: 100-continue",
    "Transfer-Encoding: chunked",
  ) + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
};

for (const [framing, wire] of Object.entries(UNAWAITED)) {
  Deno.test(`Content ${framing} is read whenever it comes: before, while, and after the 100 is sent`, async () => {
    const headEnd = wire.indexOf("\r\n\r\n") + 4;
    const head = wire.slice(0, headEnd);
    for (const { name, chunks } of everyFeeding(wire.slice(headEnd))) {
      for (let delay = 0; delay < 12; delay++) {
        const { transport, done } = serveInMemory(async (exchange) => {
          const answered = echo(exchange);
          for (const chunk of chunks) {
            await microtasks(delay);
            transport.push(chunk);
          }
          await answered;
        });
        transport.push(head);
        await settled();
        const responses = parseResponses(transport.output);
        assertEquals(
          responses.at(-1)?.body,
          "POST / hello",
          `${name}, after ${delay} microtasks each`,
        );
        assertEquals(header(responses.at(-1)!, "connection"), undefined);
        assert(responses.length <= 2);
        transport.end();
        await within(done);
      }
    }
  });
}

Deno.test("No 100 is sent once content has begun to arrive", async () => {
  const { transport, done } = serveInMemory();
  transport.push(EXPECTING + "he");
  await settled();
  assertEquals(transport.output, "");
  transport.push("llo");
  await settled();
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
});

Deno.test("No 100 is sent after the response", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await respond(exchange, "early");
    await exchange.readBody().catch(() => {});
  });
  transport.push(EXPECTING);
  await settled();
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
  assertEquals(statuses(transport.output), [200]);
});

Deno.test("An HTTP/1.0 client gets no 100", async () => {
  const { transport, done } = serveInMemory();
  transport.push(EXPECTING.replace("/1.1", "/1.0"));
  await settled();
  assertEquals(transport.output, "");
  transport.push("hello");
  await within(settled());
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
});

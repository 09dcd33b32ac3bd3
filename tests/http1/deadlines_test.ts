// The deadlines of a connection, with a clock that the test turns: which wait
// is bounded by which option, and what comes of it when the time is up.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { Http1Options } from "../../src/http1/options.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import {
  echo,
  type InMemory,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

/** Different times, so that each deadline is known by its own. */
const TIMES: Partial<Http1Options> = {
  headerTimeout: 1,
  keepAliveTimeout: 2,
  bodyTimeout: 3,
  drainTimeout: 4,
};

function serve(
  handler?: (exchange: Http1Exchange) => Promise<void>,
  options: Partial<Http1Options> = {},
): InMemory {
  return serveInMemory(handler, { ...TIMES, ...options });
}

/** Pushes bytes, and says what the connection then waits for. */
async function armedAfter(
  { transport }: InMemory,
  ...chunks: string[]
): Promise<number | undefined> {
  if (chunks.length > 0) transport.push(...chunks);
  await settled();
  return transport.readDeadline.armed;
}

/** Asserts that a connection was refused with 408, and has ended. */
async function assertTimedOut(
  { transport, done }: InMemory,
  expected: number[],
): Promise<void> {
  await within(done);
  assertEquals(statuses(transport.output), expected);
  const last = parseResponses(transport.output).at(-1)!;
  assertEquals(header(last, "connection"), "close");
  assert(transport.closed);
  assertEquals(transport.readDeadline.armed, undefined);
}

Deno.test("The first head has headerTimeout from accept, however it trickles in", async () => {
  const served = serve();
  assertEquals(await armedAfter(served), 1);
  assertEquals(await armedAfter(served, ..."GET / HTTP/1.1\r\nX: "), 1);
  served.transport.readDeadline.expire();
  await assertTimedOut(served, [408]);
  assertEquals(served.exchanges.length, 0);
});

Deno.test("A client that sends nothing at all is closed at headerTimeout, without a word", async () => {
  const served = serve();
  await settled();
  served.transport.readDeadline.expire();
  await within(served.done);
  assertEquals(served.transport.output, "");
  assert(served.transport.closed);
});

Deno.test("headerTimeout is armed once a head: later bytes do not prolong it", async () => {
  const served = serve();
  await settled();
  const { readDeadline } = served.transport;
  readDeadline.armed = 0; // As if nearly all of the time had passed.
  for (const byte of GET.slice(0, -1)) {
    assertEquals(await armedAfter(served, byte), 0);
  }
  readDeadline.expire();
  await assertTimedOut(served, [408]);
});

Deno.test("A head within its time has no deadline after it", async () => {
  let armed: number | undefined = 0;
  const served = serve(async (exchange) => {
    armed = served.transport.readDeadline.armed;
    await echo(exchange);
  });
  served.transport.push(GET);
  await settled();
  assertEquals(armed, undefined);
  assertEquals(statuses(served.transport.output), [200]);
  served.transport.end();
  await within(served.done);
});

Deno.test("An idle connection is closed at keepAliveTimeout, without a word", async () => {
  const served = serve();
  assertEquals(await armedAfter(served, GET), 2);
  assert(served.connection.idle);
  const { output } = served.transport;
  served.transport.readDeadline.expire();
  await within(served.done);
  assertEquals(served.transport.output, output);
  assert(served.transport.closed);
});

Deno.test("A later head has headerTimeout from its first byte", async () => {
  const served = serve();
  assertEquals(await armedAfter(served, GET), 2);
  assertEquals(await armedAfter(served, "G"), 1);
  assertFalse(served.connection.idle);
  assertEquals(await armedAfter(served, "ET / "), 1);
  served.transport.readDeadline.expire();
  await assertTimedOut(served, [200, 408]);
});

Deno.test("A head whose first bytes came with the request before has headerTimeout too", async () => {
  const served = serve();
  assertEquals(await armedAfter(served, GET + "GET"), 1);
  assertEquals(statuses(served.transport.output), [200]);
  served.transport.readDeadline.expire();
  await assertTimedOut(served, [200, 408]);
});

Deno.test("Each head that comes in parts has headerTimeout for itself", async () => {
  const served = serve();
  const [start, end] = [GET.slice(0, 9), GET.slice(9)];
  await armedAfter(served, start);
  for (let round = 0; round < 3; round++) {
    assertEquals(await armedAfter(served, end + start), 1);
    served.transport.readDeadline.armed = 0; // As if nearly all had passed.
  }
  served.transport.readDeadline.expire();
  await assertTimedOut(served, [200, 200, 200, 408]);
});

Deno.test("A wait for content has bodyTimeout, anew for each piece", async () => {
  const served = serve();
  assertEquals(await armedAfter(served, POST), 3);
  const { readDeadline } = served.transport;
  readDeadline.armed = 0; // As if nearly all of the time had passed.
  assertEquals(await armedAfter(served, "he"), 3);
  readDeadline.expire();
  await assertTimedOut(served, [408]);
});

Deno.test("No deadline runs while the handler does not wait for content", async () => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  const served = serve(async (exchange) => {
    await opened;
    await echo(exchange);
  });
  assertEquals(await armedAfter(served, POST), undefined);
  open();
  assertEquals(await armedAfter(served), 3);
  assertEquals(await armedAfter(served, "hello"), 2);
  assertEquals(statuses(served.transport.output), [200]);
  served.transport.end();
  await within(served.done);
});

Deno.test("A wait for content that ended is not left armed", async () => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  const served = serve(async (exchange) => {
    await exchange.readBody();
    await opened;
    await respond(exchange, "ok");
  });
  assertEquals(await armedAfter(served, POST), 3);
  assertEquals(await armedAfter(served, "hello"), undefined);
  open();
  assertEquals(await armedAfter(served), 2);
  served.transport.end();
  await within(served.done);
});

Deno.test("Content that comes too late for a response that has begun cuts it", async () => {
  const served = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(new TextEncoder().encode("hal"), false);
    await echo(exchange);
  });
  assertEquals(await armedAfter(served, POST), 3);
  served.transport.readDeadline.expire();
  await within(served.done.catch(() => {}));
  assert(served.transport.output.endsWith("3\r\nhal\r\n"));
  assert(served.transport.closed);
});

/** More than is read ahead of a response. */
const BURST_REQUESTS = Math.ceil(70_000 / GET.length);
const BURST = GET.repeat(BURST_REQUESTS);

Deno.test("A response that a client has sent 64 KiB ahead of has headerTimeout", async () => {
  let disconnected: string | undefined;
  const served = serve(async (exchange) => {
    const left = Promise.withResolvers<string>();
    exchange.disconnectListener = { disconnected: left.resolve };
    disconnected = await left.promise;
  });
  assertEquals(await armedAfter(served, BURST), 1);
  assertEquals(disconnected, undefined);
  served.transport.readDeadline.expire();
  await within(served.done.catch(() => {}));
  assertEquals(disconnected, "lost");
  assert(served.transport.closed);
});

Deno.test("A burst that is answered in time has no deadline left", async () => {
  const served = serve();
  served.transport.push(BURST);
  while (served.exchanges.length < BURST_REQUESTS) await settled();
  assertEquals(await armedAfter(served), 2, "Idle again");
  served.transport.end(); // With its end, nothing is put off any more.
  await within(served.done);
});

Deno.test("Content that nobody reads yet has no deadline, however much has arrived", async () => {
  const gate = Promise.withResolvers<void>();
  const served = serve(async (exchange) => {
    await gate.promise;
    await echo(exchange);
  });
  const content = "x".repeat(100_000);
  const post = "POST / HTTP/1.1\r\nHost: a\r\n" +
    `Content-Length: ${content.length}\r\n\r\n`;
  assertEquals(await armedAfter(served, post, content), undefined);
  gate.resolve();
  assertEquals(await armedAfter(served), 2);
  assertEquals(statuses(served.transport.output), [200]);
});

Deno.test("An unread body has drainTimeout, then the connection ends", async () => {
  const served = serve((exchange) => respond(exchange, "unread"));
  assertEquals(await armedAfter(served, POST), 4);
  assertEquals(statuses(served.transport.output), [200]);
  served.transport.readDeadline.expire();
  await within(served.done);
  assertEquals(statuses(served.transport.output), [200]);
  assertEquals(served.exchanges.length, 1);
  assert(served.transport.closed);
});

Deno.test("drainTimeout is for the whole body: later bytes do not prolong it", async () => {
  const served = serve((exchange) => respond(exchange, "unread"));
  await armedAfter(served, POST);
  served.transport.readDeadline.armed = 0;
  assertEquals(await armedAfter(served, "h", "e", "l"), 0);
  served.transport.readDeadline.expire();
  await within(served.done);
  assert(served.transport.closed);
});

Deno.test("A late wait for content does not replace drainTimeout", async () => {
  const served = serve((exchange) => respond(exchange, "unread"));
  assertEquals(await armedAfter(served, POST), 4);
  const late = assertRejects(
    () => served.exchanges[0].readBody(),
    HttpError,
    "the stream ended",
  );
  assertEquals(await armedAfter(served), 4);
  served.transport.readDeadline.expire();
  await late;
  await within(served.done);
  assertEquals(statuses(served.transport.output), [200]);
});

Deno.test("A wait for content that the response did not wait for does not end drainTimeout", async () => {
  let waiting: Promise<unknown> | undefined;
  const served = serve(async (exchange) => {
    waiting = assertRejects(() => exchange.readBody(), HttpError);
    await respond(exchange, "unread");
  });
  assertEquals(await armedAfter(served, POST), 4);
  assertEquals(await armedAfter(served, "h"), 4);
  served.transport.readDeadline.expire();
  await waiting;
  await within(served.done);
});

Deno.test("A client that stays after the last response has drainTimeout", async () => {
  const served = serve();
  const last = GET.replace("Host", "Connection: close\r\nHost");
  assertEquals(await armedAfter(served, last), 4);
  assert(served.transport.writeClosed);
  assertFalse(served.transport.closed);
  served.transport.readDeadline.armed = 0;
  assertEquals(await armedAfter(served, "more", "and more"), 0);
  served.transport.readDeadline.expire();
  await within(served.done);
  assert(served.transport.closed);
});

Deno.test("A client that stays after a refusal has drainTimeout", async () => {
  const served = serve();
  assertEquals(await armedAfter(served, "nonsense\r\n\r\n"), 4);
  served.transport.readDeadline.expire();
  await within(served.done);
  assertEquals(statuses(served.transport.output), [400]);
  assert(served.transport.closed);
});

Deno.test("No deadline is left after a connection", async () => {
  const endings: ((served: InMemory) => void)[] = [
    ({ transport }) => transport.end(),
    ({ transport }) => transport.lose(),
    ({ connection }) => connection.abort(),
    ({ connection }) => connection.evict(),
    ({ connection, transport }) => {
      connection.shutdown();
      transport.readDeadline.expire();
    },
  ];
  for (const end of endings) {
    const served = serve();
    await armedAfter(served, GET);
    end(served);
    await within(served.done.catch(() => {}));
    assertEquals(served.transport.readDeadline.armed, undefined);
    assert(served.transport.closed);
  }
});

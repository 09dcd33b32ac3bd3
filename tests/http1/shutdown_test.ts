// The end of a connection that the server wants: shutdown, eviction, abort.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { bytes } from "../_feeding.ts";
import { echo, respond, serveInMemory, within } from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";
import { bodies, gate, get, serveWaiting } from "./_requests.ts";
import { settledSoon as settled } from "../_turns.ts";

// Shutdown and abort.

Deno.test("shutdown() closes a connection that is idle after a request after a moment", async () => {
  const { transport, connection, done } = serveInMemory();
  transport.push(get("/"));
  await settled();
  assert(connection.idle);
  connection.shutdown();
  await settled();
  assertFalse(transport.closed);
  assertBelowOneSecond(transport.readDeadline.armed);
  transport.readDeadline.expire();
  await within(done);
  assert(transport.closed);
  assertEquals(statuses(transport.output), [200]);
});

Deno.test("shutdown() answers a request that was on its way on an idle connection", async () => {
  const { transport, connection, done } = serveInMemory();
  transport.push(get("/1"));
  await settled();
  connection.shutdown();
  transport.push(get("/2") + get("/3"));
  await settled();
  const responses = parseResponses(transport.output);
  assertEquals(responses.map(({ body }) => body), ["GET /1 ", "GET /2 "]);
  assertEquals(header(responses[1], "connection"), "close");
  transport.end();
  await within(done);
});

/** What clients do before they keep a connection waiting, and are answered. */
const WAITS: Record<string, [sent: string, statuses: number[]]> = {
  "is fresh": ["", []],
  "waits for the rest of the first head": ["GET / HTTP/1.1\r\n", []],
  "is idle after a response": [get("/"), [200]],
  "waits for the rest of another head": [`${get("/")}GET`, [200]],
  "waits for content that nobody wants": [
    "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    [200],
  ],
  "waits for its client's end": [get("/", "Connection: close"), [200]],
  "waits for the end of a client that was refused": ["nonsense\r\n\r\n", [400]],
};

/** Answers "/early" before its content has come. */
function echoUnlessEarly(exchange: Http1Exchange): Promise<void> {
  const early = exchange.request.target.path === "/early";
  return early ? respond(exchange, "early") : echo(exchange);
}

for (const [what, [sent, answered]] of Object.entries(WAITS)) {
  Deno.test(`evict() closes a connection that ${what}`, async () => {
    const { transport, connection, done } = serveInMemory(echoUnlessEarly);
    if (sent !== "") transport.push(sent);
    await settled();
    assert(connection.evictable !== (connection.waitingSince !== undefined));
    connection.evict();
    await within(done.catch(() => {}));
    assert(transport.closed);
    assertEquals(statuses(transport.output), answered);
  });
}

Deno.test("evict() lets the response to a request that has just come say that the connection closes", async () => {
  const { transport, connection, done } = serveInMemory();
  transport.push(get("/1"));
  await settled();
  transport.push(get("/2"));
  assert(connection.idle, "The request must not have been read yet");
  connection.evict();
  await within(done);
  const [, response] = parseResponses(transport.output);
  assertEquals(response.body, "GET /2 ");
  assertEquals(header(response, "connection"), "close");
});

Deno.test("evict() leaves a request alone that is being handled", async () => {
  const { open, opened } = gate();
  const { transport, connection, done } = serveInMemory(async (exchange) => {
    await opened;
    await echo(exchange);
  });
  transport.push("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  await settled();
  for (const more of ["some", " ", "more"]) {
    assertFalse(connection.evictable);
    assertEquals(connection.waitingSince, undefined);
    connection.evict();
    transport.push(more);
    await settled();
    open();
  }
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
});

Deno.test("waitingSince says when the client was first waited for", async () => {
  const { transport, connection, done } = serveInMemory();
  const first = connection.waitingSince;
  transport.push("GET / HT");
  await settled();
  assertEquals(connection.waitingSince, first, "A byte is no request");
  transport.push("TP/1.1\r\nHost: a\r\n\r\n");
  await settled();
  assertEquals(connection.waitingSince, undefined);
  transport.push("GET");
  await settled();
  const second = connection.waitingSince;
  assert(first !== undefined && second !== undefined && second >= first);
  transport.push(" /");
  await settled();
  assertEquals(connection.waitingSince, second);
  transport.end();
  await within(done);
});

Deno.test("shutdown() closes a fresh connection when no request comes for a moment", async () => {
  const { transport, connection, done } = serveInMemory();
  await settled();
  connection.shutdown();
  await settled();
  assertFalse(transport.closed);
  assertBelowOneSecond(transport.readDeadline.armed);
  transport.readDeadline.expire();
  await within(done);
  assert(transport.closed);
  assertEquals(transport.output, "");
});

for (const when of ["before", "after"] as const) {
  Deno.test(`shutdown() ${when} the start of a fresh connection lets its first request be answered`, async () => {
    const { transport, connection, done } = serveInMemory();
    if (when === "after") await settled();
    connection.shutdown();
    await settled();
    assertBelowOneSecond(transport.readDeadline.armed);
    transport.push("GET / HTTP/1.1\r\n");
    await settled();
    // It has begun to come: from now on it has the time of any request.
    assertEquals(transport.readDeadline.armed, 30_000);
    transport.push("Host: a\r\n\r\n");
    await settled();
    transport.end();
    await within(done);
    const [response] = parseResponses(transport.output);
    assertEquals(response.status, 200);
    assertEquals(header(response, "connection"), "close");
  });
}

function assertBelowOneSecond(ms: number | undefined): void {
  assert(ms !== undefined && ms < 1000, `The deadline is ${ms} ms`);
}

Deno.test("A connection is evictable between two requests, not before the first", async () => {
  const { transport, connection, done } = serveInMemory();
  let idleTimes = 0;
  connection.onIdle = () => idleTimes++;
  await settled();
  assert(connection.idle);
  assertFalse(connection.evictable);
  transport.push(get("/1") + get("/2"));
  await settled();
  assert(connection.evictable);
  assert(idleTimes > 0);
  transport.push("GET");
  await settled();
  assertFalse(connection.evictable);
  transport.end();
  await within(done);
});

Deno.test("shutdown() lets a response in flight end, and says close", async () => {
  const { open, opened } = gate();
  const { transport, connection, done, exchanges } = serveInMemory(
    async (exchange) => {
      await opened;
      await echo(exchange);
    },
  );
  transport.push(get("/1"));
  await settled();
  assertFalse(connection.idle);
  assertFalse(connection.closing);
  connection.shutdown();
  assert(connection.closing);
  transport.push(get("/2"));
  open();
  await settled();
  const [response, ...others] = parseResponses(transport.output);
  assertEquals(response.body, "GET /1 ");
  assertEquals(header(response, "connection"), "close");
  assertEquals(others, []);
  transport.end();
  await within(done);
  assertEquals(exchanges.length, 1);
});

Deno.test("shutdown() lets a request that has begun to arrive be answered", async () => {
  const { transport, connection, done } = serveInMemory();
  const wire = get("/");
  transport.push(wire.slice(0, 10));
  await settled();
  assertFalse(connection.idle);
  connection.shutdown();
  transport.push(wire.slice(10));
  await settled();
  const [response] = parseResponses(transport.output);
  assertEquals(response.body, "GET / ");
  assertEquals(header(response, "connection"), "close");
  transport.end();
  await within(done);
});

Deno.test("shutdown() within a burst answers one request more, if no response has said close", async () => {
  const { transport, connection, done } = serveInMemory(async (exchange) => {
    await respond(exchange, exchange.request.target.path);
    if (exchange.request.target.path === "/2") connection.shutdown();
  });
  transport.push(get("/1") + get("/2") + get("/3") + get("/4"));
  transport.end();
  await within(done);
  const responses = parseResponses(transport.output);
  assertEquals(responses.map(({ body }) => body), ["/1", "/2", "/3"]);
  assertEquals(
    responses.map((response) => header(response, "connection")),
    [undefined, undefined, "close"],
  );
  assert(transport.closed);
});

Deno.test("shutdown() after a response that did not say close waits for a moment", async () => {
  const { transport, connection, done } = serveInMemory(async (exchange) => {
    await respond(exchange, "last");
    connection.shutdown();
  });
  transport.push(get("/"));
  await settled();
  assertBelowOneSecond(transport.readDeadline.armed);
  transport.readDeadline.expire();
  await within(done);
  assertEquals(bodies(transport.output), ["last"]);
  assert(transport.closed);
});

Deno.test("abort() closes at once, and the handler learns of it", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settled();
  served.connection.abort();
  assert(served.transport.closed);
  assertEquals(disconnects, ["lost"]);
  assert(served.connection.closing);
  open();
  await within(served.done.catch(() => {}));
  assertEquals(served.transport.output, "");
});

Deno.test("An exchange that aborts cuts its response short", async () => {
  const { transport, done, exchanges } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("hal"), false);
    exchange.abort();
  });
  transport.push(get("/") + get("/never"));
  await within(done.catch(() => {}));
  assert(transport.output.endsWith("3\r\nhal\r\n"));
  assertEquals(exchanges.length, 1);
  assertEquals(transport.events, ["write", "close"]);
});

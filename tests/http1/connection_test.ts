// A connection in memory, end to end: requests one after the other and in
// bursts, faults after good requests, and the last request of a connection.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { RefusedBytes } from "../../src/http/served_connection.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { everyFeeding } from "../_feeding.ts";
import { echo, respond, serveInMemory, within } from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";
import { bodies, get, post, postChunks } from "./_requests.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { settledSoon as settled } from "../_turns.ts";

// One after the other, and in bursts.

Deno.test("Requests are answered one after the other on one connection", async () => {
  const { transport, done } = serveInMemory();
  transport.push(get("/1"));
  await settled();
  transport.push(post("/2", "two"));
  await settled();
  transport.push(postChunks("/3", "5\r\nthree\r\n0\r\n\r\n"));
  await settled();
  assertEquals(bodies(transport.output), [
    "GET /1 ",
    "POST /2 two",
    "POST /3 three",
  ]);
  assertFalse(transport.writeClosed);
  transport.end();
  await within(done);
  assert(transport.closed);
});

Deno.test("A burst of requests lets others in, however many there are", async () => {
  const { transport, exchanges, done } = serveInMemory();
  const letIn = await letsOthersIn(async () => {
    transport.push(get("/").repeat(20_000));
    transport.end();
    await done;
  });
  assert(letIn, "The connection kept the event loop to itself");
  assertEquals(exchanges.length, 20_000);
});

Deno.test("A burst of requests is answered alike, however it arrives", async () => {
  const wire = get("/1") + "\r\n" + post("/2", "GET /no HTTP/1.1\r\n\r\n") +
    postChunks("/3", "3;a=b\r\n\r\n0\r\n0\r\nx: y\r\n\r\n") +
    get("/4", "Connection: close");
  const expected = [
    "GET /1 ",
    "POST /2 GET /no HTTP/1.1\r\n\r\n",
    "POST /3 \r\n0",
    "GET /4 ",
  ];
  for (const { name, chunks } of everyFeeding(wire)) {
    const { transport, done } = serveInMemory();
    transport.push(...chunks);
    transport.end();
    await within(done);
    assertEquals(bodies(transport.output), expected, name);
  }
});

Deno.test("One request is handled at a time", async () => {
  let running = 0;
  const seen: number[] = [];
  const { transport, done } = serveInMemory(async (exchange) => {
    seen.push(++running);
    await settled();
    await respond(exchange, exchange.request.target.path);
    running--;
  });
  transport.push(get("/1") + get("/2") + get("/3", "Connection: close"));
  transport.end();
  await within(done);
  assertEquals(seen, [1, 1, 1]);
  assertEquals(bodies(transport.output), ["/1", "/2", "/3"]);
});

// The last request.

Deno.test("The last request by the client's word is answered, then closed at once", async () => {
  const wires = [last(get("/")), get("/").replace("1.1", "1.0")];
  for (const wire of wires) {
    const { transport, done, exchanges } = serveInMemory();
    transport.closesCleanly = true;
    transport.push(wire);
    await within(done);
    assertEquals(exchanges.length, 1);
    assertEquals(statuses(transport.output), [200]);
    assertEquals(transport.events, ["write", "close"]);
  }
});

Deno.test("A close that could lose the response waits for the client's end", async () => {
  const cases: [wire: string, closesCleanly: boolean][] = [
    [last(get("/")), false],
    [last(get("/")) + get("/never"), true],
    // A CRLF may follow (RFC 9112, section 2.2).
    [last(post("/", "hello")), true],
  ];
  for (const [wire, closesCleanly] of cases) {
    const { transport, done } = serveInMemory();
    transport.closesCleanly = closesCleanly;
    transport.push(wire);
    await settled();
    assertFalse(transport.closed);
    transport.end();
    await within(done);
    assertEquals(statuses(transport.output), [200]);
    assertEquals(transport.events, ["write", "closeWrite", "close"]);
  }
});

Deno.test("A connection that the server ends, or whose content is unread, waits for the client's end", async () => {
  const ended = serveInMemory(echo, { maxRequestsPerConnection: 1 });
  const unread = serveInMemory((exchange) => respond(exchange, "early"));
  ended.transport.closesCleanly = unread.transport.closesCleanly = true;
  ended.transport.push(get("/"));
  unread.transport.push(last(post("/", "hello")).slice(0, -5));
  for (const { transport, done } of [ended, unread]) {
    await settled();
    assertEquals(transport.events, ["write", "closeWrite"]);
    transport.end();
    await within(done);
  }
});

Deno.test("A close waits for the client's end where a reset would cut what has not left", async () => {
  const cases: [content: string, wire: string][] = [
    ["x".repeat(64 * 1024), last(get("/"))],
    ["one of several", get("/") + last(get("/"))],
  ];
  for (const [content, wire] of cases) {
    const { transport, done } = serveInMemory((exchange) =>
      respond(exchange, content)
    );
    transport.closesCleanly = true;
    transport.push(wire);
    await settled();
    assertFalse(transport.closed);
    transport.end();
    await within(done);
    assertEquals(transport.events.slice(-2), ["closeWrite", "close"]);
  }
});

Deno.test("A last request that is answered at once needs no read but its own", async () => {
  const { transport, done } = serveInMemory();
  transport.closesCleanly = true;
  transport.push(last(get("/")), get("/never"));
  await within(done);
  assertEquals(transport.reads, 1);
  assertEquals(transport.events, ["write", "close"]);
});

/** A request that its client calls the last. */
function last(wire: string): string {
  return wire.replace("\r\n", "\r\nConnection: close\r\n");
}

// Framing errors.

Deno.test("A good request before a bad one is answered first, then one error, then the end", async () => {
  const bad: [wire: string, status: number][] = [
    ["GET / HTTP/1.1\nHost: a\r\n\r\n", 400],
    ["GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    [get("/", "Content-Length: 1", "Content-Length: 2"), 400],
    ["X".repeat(33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    [get("/", "Transfer-Encoding: gzip"), 400],
    [get("/", "Transfer-Encoding: gzip, chunked"), 501],
    [get("/", "Transfer-Encoding: chunked", "Content-Length: 1"), 400],
    [get("/", "Transfer-Encoding: gzip, chunked", "Content-Length: 1"), 400],
    [get("/", "Expect: tea"), 417],
    [get("/", "X".repeat(70_000) + ": a"), 431],
    [`GET /${"x".repeat(9_000)} HTTP/1.1\r\n`, 414],
    ["\x00\x01\x02\r\n\r\n", 400],
    ["\r\n\r\n", 400],
  ];
  for (const [wire, status] of bad) {
    const { transport, done, exchanges } = serveInMemory();
    transport.push(get("/good") + wire + get("/never"));
    await settled();
    const [good, refusal, ...others] = parseResponses(transport.output);
    assertEquals(good.body, "GET /good ");
    assertEquals(refusal.status, status, JSON.stringify(wire.slice(0, 80)));
    assertEquals(header(refusal, "connection"), "close");
    assertEquals(others, []);
    assert(transport.writeClosed);
    transport.push(get("/never"));
    transport.end();
    await within(done);
    assertEquals(exchanges.length, 1);
    assertEquals(transport.events, ["write", "closeWrite", "close"]);
  }
});

Deno.test("A fault in a body that is read gives one error, then the end", async () => {
  const bad: [framed: string, status: number][] = [
    ["5\nhello\r\n0\r\n\r\n", 400],
    ["x\r\nhello\r\n0\r\n\r\n", 400],
    ["5\r\nhelloo\r\n0\r\n\r\n", 400],
    ["5;\r\nhello\r\n0\r\n\r\n", 400],
    ["0\r\nx : y\r\n\r\n", 400],
    ["0\r\n" + "x: y\r\n".repeat(129) + "\r\n", 431],
    ["65\r\n" + "x".repeat(101) + "\r\n0\r\n\r\n", 413],
  ];
  for (const [framed, status] of bad) {
    const { transport, done, exchanges } = serveInMemory(echo, {
      maxBodyBytes: 100,
    });
    transport.push(get("/good") + postChunks("/bad", framed) + get("/never"));
    transport.end();
    await within(done);
    assertEquals(statuses(transport.output), [200, status], framed);
    assertEquals(exchanges.length, 2);
    assert(transport.closed);
  }
});

Deno.test("Nothing is served after a fault in a body that was answered before", async () => {
  const framings = [
    "x\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "1\r\nabc0\r\n\r\n",
    "0\r\nx : y\r\n\r\n",
    "5\r\nhello\r\n5;\r\n0\r\n\r\n",
  ];
  for (const framed of framings) {
    const { transport, done, exchanges } = serveInMemory(
      (exchange) => respond(exchange, "unread"),
    );
    transport.push(postChunks("/", framed) + get("/never"));
    transport.end();
    await within(done);
    assertEquals(bodies(transport.output), ["unread"]);
    assertEquals(exchanges.length, 1, framed);
  }
});

Deno.test("Nothing is served after a fault in a body, even if the handler overlooks it", async () => {
  const framings = [
    "x\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "1\r\nabc0\r\n\r\n0\r\n\r\n",
    "0\r\nx : y\r\n\r\n\r\n",
    "5\r\nhello\r\n5;\r\n0\r\n\r\n",
  ];
  for (const framed of framings) {
    const { transport, done, exchanges } = serveInMemory(async (exchange) => {
      try {
        while (await exchange.readBody() !== null);
      } catch {
        // It answers as if nothing had happened.
      }
      await respond(exchange, "fine");
    });
    transport.push(postChunks("/", framed) + get("/never"));
    transport.end();
    await within(done);
    assertEquals(bodies(transport.output), ["fine"]);
    assertEquals(exchanges.length, 1, framed);
  }
});

Deno.test("What a client sends after a refusal is read and thrown away until it closes", async () => {
  const { transport, done, exchanges } = serveInMemory();
  transport.push("nonsense\r\n\r\n");
  await settled();
  assertFalse(transport.closed);
  const { reads } = transport;
  transport.push(...Array<string>(20).fill("x".repeat(1_000)), get("/never"));
  await settled();
  assertEquals(transport.reads, reads + 21);
  assertFalse(transport.closed);
  transport.end();
  await within(done);
  assert(transport.closed);
  assertEquals(exchanges.length, 0);
  assertEquals(statuses(transport.output), [400]);
});

Deno.test("Bytes that are no request are reported once they were refused", async () => {
  const { transport, connection, done, exchanges } = serveInMemory();
  const refused: RefusedBytes[] = [];
  connection.onRefused = (bytes) => refused.push(bytes);
  transport.push(get("/good") + "nonsense\r\n\r\n");
  await settled();
  assertEquals(statuses(transport.output), [200, 400]);
  const [{ refusal, status, aborted }] = refused;
  assertEquals([refusal, status, aborted], [400, 400, false]);
  transport.end();
  await within(done);
  assertEquals([refused.length, exchanges.length], [1, 1]);
});

Deno.test("A request whose content is refused is not reported as bytes that are none", async () => {
  const { transport, connection, done, exchanges } = serveInMemory(
    async (exchange) => {
      await exchange.readBody();
    },
  );
  connection.onRefused = () => assert(false, "It is reported");
  transport.push(postChunks("/", "zz\r\n"));
  transport.end();
  await within(done);
  assertEquals(statuses(transport.output), [400]);
  assertEquals([exchanges[0].refusal, exchanges[0].status], [400, 400]);
});

// The last request of a connection.

Deno.test("The last of maxRequestsPerConnection says close, and no more are served", async () => {
  const { transport, done, exchanges } = serveInMemory(echo, {
    maxRequestsPerConnection: 3,
  });
  transport.push(get("/").repeat(5));
  transport.end();
  await within(done);
  const responses = parseResponses(transport.output);
  assertEquals(
    responses.map((response) => header(response, "connection")),
    [undefined, undefined, "close"],
  );
  assertEquals(exchanges.length, 3);
  assert(transport.closed);
});

Deno.test("Requests after one that asked for a close are not served", async () => {
  const { transport, done, exchanges } = serveInMemory();
  transport.push(get("/1", "Connection: close") + get("/2"));
  transport.end();
  await within(done);
  assertEquals(bodies(transport.output), ["GET /1 "]);
  assertEquals(exchanges.length, 1);
});

// Full duplex.

Deno.test("A handler may answer while the body still arrives", async () => {
  const { transport, done } = serveInMemory(duplex);
  transport.push(post("/", "abc").slice(0, -3));
  for (const byte of ["a", "b", "c"]) {
    transport.push(byte);
    await settled();
    assert(transport.output.endsWith(`\r\n${byte}\r\n`) || byte === "c");
  }
  assertEquals(bodies(transport.output), ["abc"]);
  transport.end();
  await within(done);
});

/** Sends each piece of the content back as it arrives. */
async function duplex(exchange: Http1Exchange): Promise<void> {
  exchange.head(200, []);
  for (let chunk; (chunk = await exchange.readBody()) !== null;) {
    await exchange.data(chunk, false);
  }
  await exchange.data(new Uint8Array(0), true);
}

// What becomes of content that the handler has not read: within bounds it is
// read and dropped, past them the connection closes.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { echo, respond, serveInMemory, within } from "./_memory_transport.ts";
import { header, parseResponses } from "./_responses.ts";
import { bodies, get, post, postChunks } from "./_requests.ts";
import { settledSoon as settled } from "../_turns.ts";

// Bodies that nobody reads.

Deno.test("An unread body within drainBytes is drained, and the connection stays", async () => {
  const wire = post("/1", "x".repeat(100));
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, exchange.request.target.path),
    { drainBytes: 100 },
  );
  for (const part of [wire.slice(0, 90), wire.slice(90) + get("/2")]) {
    transport.push(part);
    await settled();
  }
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  assertFalse(transport.writeClosed);
  transport.end();
  await within(done);
});

Deno.test("A connection is idle again once the body was drained, and not before", async () => {
  const { transport, connection, done } = serveInMemory(
    (exchange) => respond(exchange, "early"),
  );
  let idleTimes = 0;
  connection.onIdle = () => idleTimes++;
  const wire = post("/", "hello");
  transport.push(wire.slice(0, -1));
  await settled();
  assertEquals([connection.evictable, idleTimes], [false, 0]);
  transport.push(wire.slice(-1));
  await settled();
  assertEquals([connection.evictable, idleTimes], [true, 1]);
  transport.end();
  await within(done);
});

/** What of a request's content has been read when its response begins. */
interface Early {
  readonly wire: string;
  /** How often the handler reads before it answers. */
  readonly reads: number;
  readonly closes: boolean;
}

const EARLY: Record<string, Early> = {
  "nothing, at drainBytes": {
    wire: post("/", "x".repeat(100)),
    reads: 0,
    closes: false,
  },
  "nothing, past drainBytes": {
    wire: post("/", "x".repeat(101)),
    reads: 0,
    closes: true,
  },
  "a part, and drainBytes are left": {
    wire: post("/", "x".repeat(150)).slice(0, -100),
    reads: 1,
    closes: false,
  },
  "a part, and more than drainBytes are left": {
    wire: post("/", "x".repeat(151)).slice(0, -101),
    reads: 1,
    closes: true,
  },
  "no chunk": {
    wire: postChunks("/", "1\r\nx\r\n0\r\n\r\n"),
    reads: 0,
    closes: true,
  },
  "a chunk": {
    wire: postChunks("/", "1\r\nx\r\n1\r\nx\r\n0\r\n\r\n"),
    reads: 1,
    closes: true,
  },
  "all chunks": {
    wire: postChunks("/", "1\r\nx\r\n1\r\nx\r\n0\r\n\r\n"),
    reads: 2,
    closes: false,
  },
};

for (const [read, { wire, reads, closes }] of Object.entries(EARLY)) {
  Deno.test(`An answer when ${read} was read ${closes ? "says close" : "keeps the connection"}`, async () => {
    const { transport, done } = serveInMemory(async (exchange) => {
      for (let i = 0; i < reads; i++) await exchange.readBody();
      await respond(exchange, "early");
    }, { drainBytes: 100 });
    transport.push(wire);
    await settled();
    const [response] = parseResponses(transport.output);
    assertEquals(header(response, "connection"), closes ? "close" : undefined);
    assertEquals(transport.writeClosed, closes);
    transport.end();
    await within(done);
  });
}

Deno.test("Content of any length is drained where drainBytes has no limit", async () => {
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, exchange.request.target.path),
    { drainBytes: Infinity },
  );
  const content = `3e8\r\n${"x".repeat(1_000)}\r\n`.repeat(200);
  transport.push(postChunks("/1", content + "0\r\n\r\n") + get("/2"));
  await settled();
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  transport.end();
  await within(done);
});

Deno.test("The response leaves before its body is drained", async () => {
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, "early"),
  );
  transport.push(post("/", "hello").slice(0, -2));
  await settled();
  assertEquals(bodies(transport.output), ["early"]);
  transport.push("lo");
  transport.end();
  await within(done);
});

Deno.test("An unread body past drainBytes closes the connection, with lingering", async () => {
  const wires = [
    post("/1", "x".repeat(101)),
    postChunks("/1", `65\r\n${"x".repeat(101)}\r\n0\r\n\r\n`),
  ];
  for (const wire of wires) {
    const { transport, done, exchanges } = serveInMemory(
      (exchange) => respond(exchange, "unread"),
      { drainBytes: 100 },
    );
    transport.push(wire);
    await settled();
    assertEquals(bodies(transport.output), ["unread"]);
    assert(transport.writeClosed);
    assertFalse(transport.closed);
    transport.push(get("/never"));
    transport.end();
    await within(done);
    assertEquals(exchanges.length, 1);
    assertEquals(transport.events, ["write", "closeWrite", "close"]);
  }
});

Deno.test("A client that closes within the body that is drained ends the connection", async () => {
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, "early"),
  );
  transport.push(post("/", "hello").slice(0, -2));
  transport.end();
  await within(done);
  assertEquals(bodies(transport.output), ["early"]);
  assert(transport.closed);
});

Deno.test("A client that is lost within the body that is drained ends the connection", async () => {
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, "early"),
  );
  transport.push(post("/", "hello").slice(0, -2));
  await settled();
  transport.lose();
  await assertRejects(() => within(done), Error, "Connection reset");
  assertEquals(bodies(transport.output), ["early"]);
  assert(transport.closed);
});

Deno.test("Content that was drained is not handed out after it", async () => {
  const { transport, done, exchanges } = serveInMemory(
    (exchange) => respond(exchange, exchange.request.target.path),
  );
  transport.push(post("/1", "hello") + get("/2"));
  await settled();
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  assertEquals(await exchanges[0].readBody(), null);
  assertEquals(exchanges[0].takeBody(), undefined);
  transport.end();
  await within(done);
});

Deno.test("An exchange that is over does not read the next request", async () => {
  let late: Promise<Uint8Array | null> | undefined;
  const { transport, done, exchanges } = serveInMemory(async (exchange) => {
    if (exchange.request.target.path === "/2") {
      late = exchanges[0].readBody();
      assertEquals(await late, null);
    }
    await echo(exchange);
  });
  transport.push(post("/1", "hello"));
  await settled();
  transport.push(post("/2", "world").slice(0, -3));
  await settled();
  transport.push("rld");
  await settled();
  assertEquals(bodies(transport.output), ["POST /1 hello", "POST /2 world"]);
  assert(late !== undefined);
  transport.end();
  await within(done);
});

Deno.test("What the handler left of a body is drained", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await exchange.readBody();
    await respond(exchange, exchange.request.target.path);
  });
  transport.push(post("/1", "hello").slice(0, -4));
  await settled();
  transport.push("ello" + get("/2"));
  await settled();
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  transport.end();
  await within(done);
});

for (const size of [10, 1000]) {
  Deno.test(`The client keeps nobody waiting while its response is written: ${size} bytes are unread`, async () => {
    const { transport, connection, done } = serveInMemory(
      (exchange) => respond(exchange, "early"),
      { drainBytes: 100 },
    );
    transport.stallWrites();
    transport.push(post("/", "x".repeat(size)).slice(0, -1));
    await settled();
    assertEquals(connection.waitingSince, undefined);
    assertEquals(transport.readDeadline.armed, undefined);
    transport.acceptWrites();
    await settled();
    assert(connection.waitingSince !== undefined);
    transport.end();
    await within(done);
  });
}

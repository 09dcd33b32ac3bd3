// A connection in memory, end to end: requests one after the other and in
// bursts, faults behind good requests, clients that leave half-way or wholly,
// bodies that nobody reads, the last request of a connection, shutdown.

import {
  assert,
  assertEquals,
  assertFalse,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Disconnect } from "../../src/http/exchange.ts";
import type { RefusedBytes } from "../../src/http/served_connection.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { bytes, everyFeeding } from "../_feeding.ts";
import {
  echo,
  readContent,
  respond,
  serveInMemory,
  settle,
  within,
} from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";

function get(path: string, ...fields: string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: a", ...fields, "", ""].join("\r\n");
}

function post(path: string, content: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ` +
    `${content.length}\r\n\r\n${content}`;
}

function postChunks(path: string, framed: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${framed}`;
}

/** Something that a test waits for, or makes others wait for. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { open: () => open(), opened };
}

function bodies(output: string): string[] {
  return parseResponses(output).map(({ body }) => body);
}

// One after the other, and in bursts.

Deno.test("Requests are answered one after the other on one connection", async () => {
  const { transport, done } = serveInMemory();
  transport.push(get("/1"));
  await settle();
  transport.push(post("/2", "two"));
  await settle();
  transport.push(postChunks("/3", "5\r\nthree\r\n0\r\n\r\n"));
  await settle();
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

Deno.test("100 requests in one write are answered in order, in few writes", async () => {
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const { transport, done } = serveInMemory();
  transport.push(paths.map((path) => get(path)).join(""));
  await settle();
  const expected = paths.map((path) => `GET ${path} `);
  assertEquals(bodies(transport.output), expected);
  assertLess(transport.writes, 10);
  transport.end();
  await within(done);
});

Deno.test("What an application sends in one turn leaves in one write", async () => {
  async function* pieces() {
    for (let i = 0; i < 10; i++) yield bytes(`piece ${i}`);
  }
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    // A generator takes a few microtasks for each piece.
    for await (const piece of pieces()) await exchange.data(piece, false);
    await exchange.data(new Uint8Array(0), true);
  });
  transport.push(get("/"));
  await settle();
  assertEquals(transport.writes, 1);
  transport.end();
  await within(done);
});

Deno.test("What waits for the end of a turn is sent though the response fails", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("piece"), false);
    exchange.abort();
  });
  transport.push(get("/"));
  await within(done);
  assertStringIncludes(transport.output, "piece");
});

Deno.test("One request is handled at a time", async () => {
  let running = 0;
  const seen: number[] = [];
  const { transport, done } = serveInMemory(async (exchange) => {
    seen.push(++running);
    await settle();
    await respond(exchange, exchange.request.target.path);
    running--;
  });
  transport.push(get("/1") + get("/2") + get("/3", "Connection: close"));
  transport.end();
  await within(done);
  assertEquals(seen, [1, 1, 1]);
  assertEquals(bodies(transport.output), ["/1", "/2", "/3"]);
});

Deno.test("A response of a burst is not held up by a slow one behind it", async () => {
  const { open, opened } = gate();
  const { transport, done } = serveInMemory(async (exchange) => {
    if (exchange.request.target.path === "/slow") await opened;
    await respond(exchange, exchange.request.target.path);
  });
  transport.push(get("/quick") + get("/slow"));
  for (let turn = 0; turn < 100 && transport.output === ""; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(bodies(transport.output), ["/quick"]);
  open();
  await settle();
  assertEquals(bodies(transport.output), ["/quick", "/slow"]);
  transport.end();
  await within(done);
});

Deno.test("Large responses of a burst are not collected without bound", async () => {
  const content = "x".repeat(20_000);
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, content),
  );
  transport.stallWrites();
  transport.push(get("/").repeat(50));
  await settle();
  assertEquals(transport.writes, 0);
  transport.acceptWrites();
  await settle();
  assertEquals(statuses(transport.output), Array(50).fill(200));
  assert(transport.writes >= 20, `${transport.writes} writes`);
  transport.end();
  await within(done);
});

Deno.test("The read ahead is bounded", async () => {
  const { open, opened } = gate();
  const { transport, done } = serveInMemory(async (exchange) => {
    await opened;
    await respond(exchange, "ok");
  });
  const chunk = get("/").repeat(100);
  transport.push(...Array<string>(1_000).fill(chunk));
  await settle();
  const bound = 64 * 1024 / chunk.length + 2;
  assertLess(transport.reads, bound);
  transport.lose();
  open();
  await within(done.catch(() => {}));
});

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
    await settle();
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

Deno.test("Nothing is served behind a fault in a body that was answered before", async () => {
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

Deno.test("Nothing is served behind a fault in a body, even if the handler overlooks it", async () => {
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

Deno.test("What a client sends behind a refusal is read and thrown away until it closes", async () => {
  const { transport, done, exchanges } = serveInMemory();
  transport.push("nonsense\r\n\r\n");
  await settle();
  assertFalse(transport.closed);
  const { reads } = transport;
  transport.push(...Array<string>(20).fill("x".repeat(1_000)), get("/never"));
  await settle();
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
  await settle();
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

// Half close.

Deno.test("A client that has sent its last request is still answered", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await settle();
    await echo(exchange);
  });
  transport.push(post("/", "hello"));
  transport.end();
  await within(done);
  assertEquals(bodies(transport.output), ["POST / hello"]);
  assert(transport.closed);
});

Deno.test("All requests of a burst are answered to a client that half-closed behind it", async () => {
  const wire = get("/1") + post("/2", "two") + get("/3");
  for (const { name, chunks } of everyFeeding(wire)) {
    const { transport, done } = serveInMemory(async (exchange) => {
      await settle();
      await echo(exchange);
    });
    transport.push(...chunks);
    transport.end();
    await within(done);
    assertEquals(bodies(transport.output), [
      "GET /1 ",
      "POST /2 two",
      "GET /3 ",
    ], name);
  }
});

Deno.test("A half close within a head, or within a body, is refused with 400", async () => {
  for (const wire of ["GET / HT", get("/").slice(0, -1)]) {
    const { transport, done, exchanges } = serveInMemory();
    transport.push(wire);
    transport.end();
    await within(done);
    assertEquals(statuses(transport.output), [400]);
    assertEquals(exchanges.length, 0);
  }
  const partial = [post("/", "hello").slice(0, -1), postChunks("/", "5\r\nhe")];
  for (const wire of partial) {
    const { transport, done } = serveInMemory();
    transport.push(wire);
    transport.end();
    await within(done);
    assertEquals(statuses(transport.output), [400]);
  }
});

Deno.test("A connection that ends without a request gets no response", async () => {
  for (const wire of ["", "\r\n"]) {
    const { transport, done } = serveInMemory();
    if (wire !== "") transport.push(wire);
    transport.end();
    await within(done);
    assertEquals(transport.output, "");
    assertEquals(transport.events, ["close"]);
  }
});

// Departures.

/** Serves a request whose handler runs until `open`; notes the departures. */
function serveWaiting(): {
  departures: Disconnect[];
  served: ReturnType<typeof serveInMemory>;
  open: () => void;
} {
  const departures: Disconnect[] = [];
  const { open, opened } = gate();
  const served = serveInMemory(async (exchange) => {
    exchange.disconnectListener = {
      disconnected: (how) => departures.push(how),
    };
    await readContent(exchange);
    await opened;
    await respond(exchange, "done");
  });
  return { departures, served, open };
}

Deno.test("A handler is told when its client half-closes, and can still answer", async () => {
  const { departures, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settle();
  assertEquals(departures, []);
  assertEquals(served.exchanges[0].disconnect, undefined);
  served.transport.end();
  await settle();
  assertEquals(departures, ["half-closed"]);
  assertEquals(served.exchanges[0].disconnect, "half-closed");
  open();
  await within(served.done);
  assertEquals(bodies(served.transport.output), ["done"]);
});

Deno.test("A handler is told when its client is lost", async () => {
  const { departures, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settle();
  served.transport.lose();
  await settle();
  assertEquals(departures, ["lost"]);
  assertEquals(served.exchanges[0].disconnect, "lost");
  open();
  await within(served.done.catch(() => {}));
  assert(served.transport.closed);
});

Deno.test("A handler is told of a client that leaves behind a small body", async () => {
  const { departures, served, open } = serveWaiting();
  served.transport.push(...post("/", "hello"));
  await settle();
  served.transport.end();
  await settle();
  assertEquals(departures, ["half-closed"]);
  open();
  await within(served.done);
});

Deno.test("A handler is told of a client that leaves behind a large body", async () => {
  for (const pieces of [1, 2, 5, 300]) {
    const { departures, served, open } = serveWaiting();
    const wire = post("/", "x".repeat(300_000));
    const size = Math.ceil(wire.length / pieces);
    for (let at = 0; at < wire.length; at += size) {
      served.transport.push(wire.slice(at, at + size));
    }
    await settle();
    await settle();
    served.transport.end();
    await settle();
    assertEquals(departures, ["half-closed"], `in ${pieces} pieces`);
    open();
    await within(served.done);
  }
});

Deno.test("A handler that does not read is told of a client that leaves behind its body", async () => {
  const departures: Disconnect[] = [];
  const { open, opened } = gate();
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.disconnectListener = {
      disconnected: (how) => departures.push(how),
    };
    await opened;
    await respond(exchange, "done");
  });
  transport.push(...post("/", "hello"));
  transport.end();
  await settle();
  assertEquals(departures, ["half-closed"]);
  open();
  await within(done);
});

Deno.test("A handler is not told of a client that stays", async () => {
  const { departures, served, open } = serveWaiting();
  served.transport.push(get("/") + get("/next"));
  await settle();
  open();
  await settle();
  assertEquals(departures, []);
  served.transport.end();
  await within(served.done);
});

Deno.test("readBody() rejects when the client is lost within the body", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await assertRejects(
      () => readContent(exchange),
      Error,
      "Connection reset",
    );
  });
  transport.push(post("/", "hello").slice(0, -1));
  await settle();
  transport.lose();
  await within(done.catch(() => {}));
  assertEquals(transport.output, "");
  assert(transport.closed);
});

Deno.test("run() rejects with what an idle connection was lost by, and closes", async () => {
  const { transport, done } = serveInMemory();
  transport.push(get("/"));
  await settle();
  transport.lose(new RangeError("Peer reset"));
  await assertRejects(() => within(done), RangeError, "Peer reset");
  assert(transport.closed);
});

Deno.test("run() rejects with what a handler threw, and closes", async () => {
  const { transport, done } = serveInMemory(() =>
    Promise.reject(new RangeError("Handler failed"))
  );
  transport.push(get("/"));
  await assertRejects(() => within(done), RangeError, "Handler failed");
  assert(transport.closed);
});

// Bodies that nobody reads.

Deno.test("An unread body within drainBytes is drained, and the connection stays", async () => {
  const wire = post("/1", "x".repeat(100));
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, exchange.request.target.path),
    { drainBytes: 100 },
  );
  for (const part of [wire.slice(0, 90), wire.slice(90) + get("/2")]) {
    transport.push(part);
    await settle();
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
  await settle();
  assertEquals([connection.evictable, idleTimes], [false, 0]);
  transport.push(wire.slice(-1));
  await settle();
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
    await settle();
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
  await settle();
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  transport.end();
  await within(done);
});

Deno.test("The response leaves before its body is drained", async () => {
  const { transport, done } = serveInMemory(
    (exchange) => respond(exchange, "early"),
  );
  transport.push(post("/", "hello").slice(0, -2));
  await settle();
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
    await settle();
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
  await settle();
  transport.lose();
  await assertRejects(() => within(done), Error, "Connection reset");
  assertEquals(bodies(transport.output), ["early"]);
  assert(transport.closed);
});

Deno.test("Content that was drained is not handed out behind it", async () => {
  const { transport, done, exchanges } = serveInMemory(
    (exchange) => respond(exchange, exchange.request.target.path),
  );
  transport.push(post("/1", "hello") + get("/2"));
  await settle();
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
  await settle();
  transport.push(post("/2", "world").slice(0, -3));
  await settle();
  transport.push("rld");
  await settle();
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
  await settle();
  transport.push("ello" + get("/2"));
  await settle();
  assertEquals(bodies(transport.output), ["/1", "/2"]);
  transport.end();
  await within(done);
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

Deno.test("Requests behind one that asked for a close are not served", async () => {
  const { transport, done, exchanges } = serveInMemory();
  transport.push(get("/1", "Connection: close") + get("/2"));
  transport.end();
  await within(done);
  assertEquals(bodies(transport.output), ["GET /1 "]);
  assertEquals(exchanges.length, 1);
});

// Shutdown and abort.

Deno.test("shutdown() closes a connection that is idle behind a request after a moment", async () => {
  const { transport, connection, done } = serveInMemory();
  transport.push(get("/"));
  await settle();
  assert(connection.idle);
  connection.shutdown();
  await settle();
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
  await settle();
  connection.shutdown();
  transport.push(get("/2") + get("/3"));
  await settle();
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
    await settle();
    assert(connection.evictable !== (connection.waitingSince !== undefined));
    connection.evict();
    await within(done.catch(() => {}));
    assert(transport.closed);
    assertEquals(statuses(transport.output), answered);
  });
}

Deno.test("evict() leaves a request alone that is being handled", async () => {
  const { open, opened } = gate();
  const { transport, connection, done } = serveInMemory(async (exchange) => {
    await opened;
    await echo(exchange);
  });
  transport.push("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  await settle();
  for (const more of ["some", " ", "more"]) {
    assertFalse(connection.evictable);
    assertEquals(connection.waitingSince, undefined);
    connection.evict();
    transport.push(more);
    await settle();
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
  await settle();
  assertEquals(connection.waitingSince, first, "A byte is no request");
  transport.push("TP/1.1\r\nHost: a\r\n\r\n");
  await settle();
  assertEquals(connection.waitingSince, undefined);
  transport.push("GET");
  await settle();
  const second = connection.waitingSince;
  assert(first !== undefined && second !== undefined && second >= first);
  transport.push(" /");
  await settle();
  assertEquals(connection.waitingSince, second);
  transport.end();
  await within(done);
});

Deno.test("shutdown() closes a fresh connection when no request comes for a moment", async () => {
  const { transport, connection, done } = serveInMemory();
  await settle();
  connection.shutdown();
  await settle();
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
    if (when === "after") await settle();
    connection.shutdown();
    await settle();
    assertBelowOneSecond(transport.readDeadline.armed);
    transport.push("GET / HTTP/1.1\r\n");
    await settle();
    // It has begun to come: from now on it has the time of any request.
    assertEquals(transport.readDeadline.armed, 30_000);
    transport.push("Host: a\r\n\r\n");
    await settle();
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
  await settle();
  assert(connection.idle);
  assertFalse(connection.evictable);
  transport.push(get("/1") + get("/2"));
  await settle();
  assert(connection.evictable);
  assert(idleTimes > 0);
  transport.push("GET");
  await settle();
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
  await settle();
  assertFalse(connection.idle);
  assertFalse(connection.closing);
  connection.shutdown();
  assert(connection.closing);
  transport.push(get("/2"));
  open();
  await settle();
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
  await settle();
  assertFalse(connection.idle);
  connection.shutdown();
  transport.push(wire.slice(10));
  await settle();
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

Deno.test("shutdown() behind a response that did not say close waits for a moment", async () => {
  const { transport, connection, done } = serveInMemory(async (exchange) => {
    await respond(exchange, "last");
    connection.shutdown();
  });
  transport.push(get("/"));
  await settle();
  assertBelowOneSecond(transport.readDeadline.armed);
  transport.readDeadline.expire();
  await within(done);
  assertEquals(bodies(transport.output), ["last"]);
  assert(transport.closed);
});

Deno.test("abort() closes at once, and tells the handler", async () => {
  const { departures, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settle();
  served.connection.abort();
  assert(served.transport.closed);
  assertEquals(departures, ["lost"]);
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

// Full duplex.

Deno.test("A handler may answer while the body still arrives", async () => {
  const { transport, done } = serveInMemory(duplex);
  transport.push(post("/", "abc").slice(0, -3));
  for (const byte of ["a", "b", "c"]) {
    transport.push(byte);
    await settle();
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

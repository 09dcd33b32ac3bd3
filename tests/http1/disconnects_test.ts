// Clients that half-close or are lost, while a request is handled or none is.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import type { Disconnect } from "../../src/http/exchange.ts";
import type { Field } from "../../src/http/fields.ts";
import { bytes, everyFeeding } from "../_feeding.ts";
import {
  echo,
  readContent,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { statuses } from "./_responses.ts";
import {
  bodies,
  gate,
  get,
  post,
  postChunks,
  serveWaiting,
} from "./_requests.ts";
import { settled as timersFired, settledSoon as settled } from "../_turns.ts";
import { unawaited } from "../_unawaited.ts";

// Half close.

Deno.test("A client that has sent its last request is still answered", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await settled();
    await echo(exchange);
  });
  transport.push(post("/", "hello"));
  transport.end();
  await within(done);
  assertEquals(bodies(transport.output), ["POST / hello"]);
  assert(transport.closed);
});

Deno.test("All requests of a burst are answered to a client that half-closed after it", async () => {
  const wire = get("/1") + post("/2", "two") + get("/3");
  for (const { name, chunks } of everyFeeding(wire)) {
    const { transport, done } = serveInMemory(async (exchange) => {
      await settled();
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

// While a request is handled.

Deno.test("A handler learns when its client half-closes, and can still answer", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settled();
  assertEquals(disconnects, []);
  assertEquals(served.exchanges[0].disconnect, undefined);
  served.transport.end();
  await settled();
  assertEquals(disconnects, ["half-closed"]);
  assertEquals(served.exchanges[0].disconnect, "half-closed");
  open();
  await within(served.done);
  assertEquals(bodies(served.transport.output), ["done"]);
});

Deno.test("A handler learns when its client is lost", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settled();
  served.transport.lose();
  await settled();
  assertEquals(disconnects, ["lost"]);
  assertEquals(served.exchanges[0].disconnect, "lost");
  open();
  await within(served.done.catch(() => {}));
  assert(served.transport.closed);
});

Deno.test("A handler of a connection's last request learns that its client is gone", async () => {
  for (const how of ["half-closed", "lost"] as const) {
    const { served: { transport, done }, disconnects, open } = serveWaiting();
    const ended = how === "lost" ? assertRejects(() => done) : done;
    transport.push(get("/", "Connection: close"));
    await timersFired();
    if (how === "lost") transport.lose();
    else transport.end();
    await settled();
    assertEquals(disconnects, [how]);
    open();
    await within(ended);
  }
});

Deno.test("A client that is lost stays lost, though the end of its bytes is read after that", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(get("/"));
  await settled();
  served.transport.end();
  served.connection.abort();
  await settled();
  assertEquals(disconnects, ["lost"]);
  assertEquals(served.exchanges[0].disconnect, "lost");
  open();
  await within(served.done.catch(() => {}));
});

Deno.test("A handler learns of a client that disconnects after a small body", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(...post("/", "hello"));
  await settled();
  served.transport.end();
  await settled();
  assertEquals(disconnects, ["half-closed"]);
  open();
  await within(served.done);
});

Deno.test("A handler that has read exactly its content learns of a disconnect", async () => {
  const disconnects: Disconnect[] = [];
  const { open, opened } = gate();
  const { open: close, opened: closed } = gate();
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.disconnectListener = {
      disconnected: (how) => disconnects.push(how),
    };
    await opened;
    // It never waits for the end.
    while (!exchange.bodyComplete) await exchange.readBody();
    await closed;
    await respond(exchange, "done");
  });
  // More than is read ahead, the last of it late.
  const wire = post("/", "x".repeat(100_000));
  transport.push(wire.slice(0, -1));
  await settled();
  open();
  await settled();
  transport.push(wire.slice(-1));
  await settled();
  transport.end();
  await settled();
  assertEquals(disconnects, ["half-closed"]);
  close();
  await within(done);
});

Deno.test("A handler learns of a client that disconnects after a large body", async () => {
  for (const pieces of [1, 2, 5, 300]) {
    const { disconnects, served, open } = serveWaiting();
    const wire = post("/", "x".repeat(300_000));
    const size = Math.ceil(wire.length / pieces);
    for (let at = 0; at < wire.length; at += size) {
      served.transport.push(wire.slice(at, at + size));
    }
    await settled();
    await settled();
    served.transport.end();
    await settled();
    assertEquals(disconnects, ["half-closed"], `in ${pieces} pieces`);
    open();
    await within(served.done);
  }
});

Deno.test("A handler that does not read learns of a client that disconnects after its body", async () => {
  const disconnects: Disconnect[] = [];
  const { open, opened } = gate();
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.disconnectListener = {
      disconnected: (how) => disconnects.push(how),
    };
    await opened;
    await respond(exchange, "done");
  });
  transport.push(...post("/", "hello"));
  transport.end();
  await settled();
  assertEquals(disconnects, ["half-closed"]);
  open();
  await within(done);
});

Deno.test("A handler learns nothing of a client that stays", async () => {
  const { disconnects, served, open } = serveWaiting();
  served.transport.push(get("/") + get("/next"));
  await settled();
  open();
  await settled();
  assertEquals(disconnects, []);
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
  await settled();
  transport.lose();
  await within(done.catch(() => {}));
  assertEquals(transport.output, "");
  assert(transport.closed);
});

Deno.test("run() rejects with what an idle connection was lost by, and closes", async () => {
  const { transport, done } = serveInMemory();
  transport.push(get("/"));
  await settled();
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

// Calls that nobody awaits.

/** More than is written without waiting, as content and as a field. */
const LONG = "x".repeat(40_000);
const LONG_FIELD: Field[] = [["x", LONG]];

/** Sends an interim response that others have to wait for. */
function sendLongInterim(exchange: Http1Exchange): void {
  unawaited(exchange.sendInformational(102, LONG_FIELD));
}

function sendLong(exchange: Http1Exchange): void {
  unawaited(exchange.data(bytes(LONG), false));
}

/** Calls that reject when the client is lost, after what has to come before. */
const UNAWAITED: Record<
  string,
  [wire: string, call: (exchange: Http1Exchange) => unknown]
> = {
  readBody: [postChunks("/", ""), (exchange) => exchange.readBody()],
  drainBody: [postChunks("/", ""), (exchange) => exchange.drainBody(9)],
  sendInformational: [get("/"), (exchange) => {
    sendLongInterim(exchange);
    return exchange.sendInformational(102, LONG_FIELD);
  }],
  data: [get("/"), (exchange) => {
    exchange.head(200, []);
    sendLong(exchange);
    return exchange.data(bytes(LONG), false);
  }],
  trailers: [get("/"), (exchange) => {
    exchange.head(200, []);
    sendLong(exchange);
    sendLong(exchange);
    return exchange.trailers([]);
  }],
  upgrade: [
    get("/", "Upgrade: a", "Connection: upgrade"),
    (exchange) => {
      sendLongInterim(exchange);
      return exchange.upgrade([["upgrade", "a"]]);
    },
  ],
  refuse: [get("/"), (exchange) => {
    sendLongInterim(exchange);
    return exchange.refuse(400, LONG_FIELD);
  }],
};

for (const [name, [wire, call]] of Object.entries(UNAWAITED)) {
  Deno.test(`Nobody need await ${name}() of a client that is lost`, async () => {
    let called: unknown;
    const { transport, done } = serveInMemory((exchange) => {
      unawaited(called = call(exchange));
      transport.lose();
      return settled();
    });
    transport.push(wire);
    await within(done.catch(() => {}));
    // A rejection without a handler would have ended the process by now.
    await assertRejects(() => within(Promise.resolve(called)));
  });
}

// How responses leave together, and how far a client is read ahead.

import {
  assert,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { bytes } from "../_feeding.ts";
import { respond, serveInMemory, within } from "./_memory_transport.ts";
import { statuses } from "./_responses.ts";
import { bodies, gate, get } from "./_requests.ts";
import { settledSoon as settled } from "../_turns.ts";

Deno.test("100 requests in one write are answered in order, in few writes", async () => {
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const { transport, done } = serveInMemory();
  transport.push(paths.map((path) => get(path)).join(""));
  await settled();
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
  await settled();
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

Deno.test("A response of a burst is not held up by a slow one after it", async () => {
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
  await settled();
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
  await settled();
  assertEquals(transport.writes, 0);
  transport.acceptWrites();
  await settled();
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
  await settled();
  const bound = 64 * 1024 / chunk.length + 2;
  assertLess(transport.reads, bound);
  transport.lose();
  open();
  await within(done.catch(() => {}));
});

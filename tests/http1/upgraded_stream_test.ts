// A connection that leaves HTTP: what is sent before, who gets the bytes that
// came after the request, and who closes it.

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import type { UpgradedStream } from "../../src/http1/upgraded_stream.ts";
import { bytes, text } from "../_feeding.ts";
import {
  type InMemory,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { parseResponses, statuses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE =
  "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";

/** A connection that was upgraded, and what it was upgraded to. */
interface Upgraded extends InMemory {
  readonly stream: UpgradedStream;
}

/** Upgrades what asks for it, and answers all else. */
async function serveUpgrade(...chunks: string[]): Promise<Upgraded> {
  const upgraded = Promise.withResolvers<UpgradedStream>();
  const served = serveInMemory(async (exchange) => {
    if (exchange.request.protocol === undefined) {
      return await respond(exchange, "plain");
    }
    upgraded.resolve(await exchange.upgrade([["upgrade", "raw"]]));
  });
  served.transport.push(...chunks);
  return { ...served, stream: await within(upgraded.promise) };
}

Deno.test("An upgrade sends 101, and ends HTTP without closing the connection", async () => {
  const { transport, connection, exchanges, done } = await serveUpgrade(
    UPGRADE,
  );
  await within(done);
  assertEquals(
    transport.output,
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n",
  );
  assert(connection.upgraded);
  assertFalse(transport.closed);
  const [{ status, complete, aborted }] = exchanges;
  assertEquals([status, complete, aborted], [101, true, false]);
  assertEquals(transport.readDeadline.armed, undefined);
});

Deno.test("What comes after the request is for the new protocol alone", async () => {
  for (
    const chunks of [[UPGRADE + GET], [UPGRADE, GET], [GET + UPGRADE, GET]]
  ) {
    const { transport, stream, done } = await serveUpgrade(...chunks);
    await within(done);
    let received = "";
    while (received.length < GET.length) {
      received += text((await stream.reader.read(100))!);
    }
    assertEquals(received, GET);
    const before = chunks[0].startsWith("GET / ") ? [200] : [];
    assertEquals(statuses(transport.output), [...before, 101]);
    stream.abort();
  }
});

Deno.test("Without an upgrade, what comes after the request is the next one", async () => {
  const { transport, done } = serveInMemory((exchange) =>
    respond(exchange, exchange.request.target.path)
  );
  transport.push(UPGRADE + GET);
  transport.end();
  await within(done);
  const contents = parseResponses(transport.output).map(({ body }) => body);
  assertEquals(contents, ["/up", "/"]);
});

Deno.test("The new protocol writes by itself, counts its bytes, and closes", async () => {
  const { transport, stream } = await serveUpgrade(UPGRADE);
  await stream.write(bytes("hello"));
  assert(transport.output.endsWith("\r\n\r\nhello"));
  assertEquals(stream.bytesSent, 5);
  const closed = stream.close(1_000);
  await settled();
  assert(transport.writeClosed);
  assertFalse(transport.closed);
  assertEquals(transport.readDeadline.armed, 1_000);
  transport.push("late");
  transport.end();
  await within(closed);
  assert(transport.closed);
  assertEquals(transport.readDeadline.armed, undefined);
});

Deno.test("The new protocol closes a client that stays, or is lost", async () => {
  const endings: ((served: Upgraded) => void)[] = [
    ({ transport }) => transport.readDeadline.expire(),
    ({ transport }) => transport.lose(),
    ({ stream }) => stream.abort(),
  ];
  for (const end of endings) {
    const served = await serveUpgrade(UPGRADE);
    const closed = served.stream.close(1_000);
    await settled();
    end(served);
    await within(closed);
    assert(served.transport.closed);
    assertEquals(served.transport.readDeadline.armed, undefined);
  }
});

Deno.test("HTTP has no part in an upgraded connection that is lost", async () => {
  const disconnects: string[] = [];
  const { transport, stream, exchanges, done } = await serveUpgrade(UPGRADE);
  exchanges[0].disconnectListener = {
    disconnected: (how) => disconnects.push(how),
  };
  await within(done);
  transport.lose();
  await assertRejects(() => stream.reader.fill(), Error, "Connection reset");
  assertEquals([disconnects, exchanges[0].disconnect], [[], undefined]);
  assertFalse(transport.closed);
  stream.abort();
});

Deno.test("HTTP has no part in an upgraded connection whose client half-closes", async () => {
  const { transport, stream, exchanges, done } = await serveUpgrade(UPGRADE);
  await within(done);
  transport.end();
  assertFalse(await stream.reader.fill());
  assertEquals(exchanges[0].disconnect, undefined);
  stream.abort();
});

Deno.test("run() gives the stream that has taken over, which says when it is closed", async () => {
  const { stream, done } = await serveUpgrade(UPGRADE);
  assertStrictEquals(await within(done), stream);
  let closed = false;
  const closing = stream.closed.then(() => closed = true);
  await settled();
  assertFalse(closed);
  stream.abort();
  await within(closing);
});

Deno.test("A handler that fails after an upgrade closes the connection, without a response", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await exchange.upgrade([["upgrade", "raw"]]);
    throw new HttpError(400, "Too late");
  });
  transport.push(UPGRADE);
  await assertRejects(() => within(done), HttpError, "Too late");
  assert(transport.closed);
  assertFalse(transport.output.includes("400"));
});

Deno.test("An upgrade waits until its 101 was taken", async () => {
  let upgraded = false;
  const { transport, done, exchanges } = serveInMemory(async (exchange) => {
    const stream = await exchange.upgrade([["upgrade", "raw"]]);
    upgraded = true;
    stream.abort();
  });
  transport.stallWrites();
  transport.push(UPGRADE);
  await settled();
  assertEquals([upgraded, exchanges.length], [false, 1]);
  transport.acceptWrites();
  await within(done);
  assert(upgraded);
});

Deno.test("A client that is lost before its 101 was taken is not upgraded", async () => {
  let failure: unknown;
  const { transport, connection, done } = serveInMemory(
    async (exchange: Http1Exchange) => {
      await exchange.upgrade([["upgrade", "raw"]])
        .catch((error) => failure = error);
    },
  );
  transport.stallWrites();
  transport.push(UPGRADE);
  await settled();
  transport.lose();
  await assertRejects(() => within(done), Error, "Broken pipe");
  assertEquals(String(failure), "Error: Broken pipe");
  assertFalse(connection.upgraded);
  assert(transport.closed);
});

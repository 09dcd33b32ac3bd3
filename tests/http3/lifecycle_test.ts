// How connections begin, wait, and end.

import { assert, assertEquals } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import { concat, headers, numbers } from "./_frames.ts";
import {
  echo,
  readResponse,
  requestFields,
  serve,
  Serving,
} from "./_serving.ts";

function statusOf(stream: Parameters<typeof readResponse>[0]): string {
  const [head] = readResponse(stream).frames;
  return (head as Field[])[0][1];
}

/** The identifiers in the GOAWAYs that were sent. */
function goaways({ controlBytes }: Serving): Uint8Array {
  const settings = numbers(0x04, 0x06, 65536, 0x08, 1);
  return controlBytes.subarray(1 + settings.length);
}

Deno.test("A client that says nothing is given up", async () => {
  const serving = new Serving(echo, { headerTimeout: 1000 });
  await serving.quic.passTime(1000);
  await serving.done;
  assertEquals(serving.closeCode, 0x100);
});

Deno.test("A connection without requests is closed in time", async () => {
  for (const requests of [0, 1]) {
    const serving = serve(echo, { keepAliveTimeout: 5000 });
    for (let i = 0; i < requests; i++) serving.request();
    await serving.quic.passTime(4999);
    assertEquals(serving.closeCode, undefined);
    await serving.quic.passTime(1);
    await serving.done;
    assertEquals(serving.closeCode, 0x100);
    assertEquals(serving.quic.deadlines.size, 0);
  }
});

Deno.test("A request under way keeps it open, and each begins the wait anew", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await promise;
    await echo(exchange);
  }, { keepAliveTimeout: 5000 });
  serving.request();
  await serving.quic.passTime(100_000);
  resolve();
  await serving.quic.passTime(4999);
  assertEquals(serving.closeCode, undefined);
  await serving.quic.passTime(1);
  assertEquals(serving.closeCode, 0x100);
  await serving.done;
});

Deno.test("A server leaves in two steps, and no request is lost", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await promise;
    await echo(exchange);
  });
  const first = serving.request();
  await serving.settled();
  serving.connection.shutdown();
  await serving.settled();
  const step1 = numbers(0x07, 2 ** 53 - 4);
  assertEquals(goaways(serving), step1);
  const second = serving.request();
  await serving.quic.passTime(1000);
  assertEquals(goaways(serving), concat(step1, numbers(0x07, 8)));
  const third = serving.request();
  await serving.settled();
  assertEquals(statusOf(third), "503");
  resolve();
  await serving.settled();
  assertEquals([statusOf(first), statusOf(second)], ["200", "200"]);
  assertEquals(serving.closeCode, undefined, "what was sent must arrive");
  await serving.quic.passTime(1000);
  await serving.done;
  assertEquals(serving.closeCode, 0x100);
});

Deno.test("An idle connection is left soon", async () => {
  const serving = serve();
  serving.request();
  await serving.quic.passTime(5000);
  serving.connection.shutdown();
  assert(!serving.connection.idle);
  await serving.quic.passTime(300);
  await serving.done;
  assertEquals(serving.closeCode, 0x100);
  assertEquals(serving.quic.deadlines.size, 0);
});

Deno.test("After so many requests, the connection is left", async () => {
  const serving = serve(echo, { maxRequestsPerConnection: 2 });
  serving.request();
  await serving.settled();
  assertEquals(goaways(serving).length, 0);
  const last = serving.request();
  await serving.settled();
  assertEquals(statusOf(last), "200");
  assertEquals(goaways(serving), numbers(0x07, 2 ** 53 - 4));
  await serving.quic.passTime(2000);
  await serving.done;
  assertEquals(serving.closeCode, 0x100);
});

Deno.test("It is idle, evictable and waiting as its requests are", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await promise;
    await echo(exchange);
  });
  const { connection } = serving;
  const look = () => [
    connection.idle,
    connection.evictable,
    connection.waitingSince !== undefined,
  ];
  assertEquals(look(), [true, false, true], "fresh");
  const stream = serving.quic.open();
  await serving.settled();
  assertEquals(look(), [false, false, true], "a stream that is empty");
  stream.inbound.send(headers(requestFields()));
  stream.inbound.end();
  await serving.settled();
  assertEquals(look(), [false, false, false], "a request");
  let idle = 0;
  connection.onIdle = () => idle++;
  resolve();
  await serving.settled();
  assertEquals(look(), [true, true, false], "after it");
  assertEquals(idle, 1);
  await serving.leave();
});

Deno.test("Evicted is what does not handle a request", async () => {
  const idle = serve();
  idle.connection.evict();
  await idle.done;
  assertEquals(idle.closeCode, 0x100);
  const used = serve();
  used.request();
  await used.settled();
  used.connection.evict();
  await used.settled();
  assertEquals(used.closeCode, undefined, "what was sent must arrive");
  const late = used.request();
  await used.settled();
  assertEquals(statusOf(late), "503");
  await used.quic.passTime(1000);
  await used.done;
  assertEquals(used.closeCode, 0x100);
  const waiting = serve();
  waiting.quic.open();
  await waiting.settled();
  waiting.connection.evict();
  await waiting.done;
  const busy = serve(() => new Promise(() => {}));
  busy.request();
  await busy.settled();
  busy.connection.evict();
  assertEquals(busy.closeCode, undefined);
  busy.connection.abort();
  await busy.done;
  assertEquals(busy.closeCode, 0x102, "a response is cut");
});

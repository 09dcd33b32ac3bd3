// A client that begins with the preface of HTTP/2 is served by another
// connection, where one can be made; all others are served as ever.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ServedConnection } from "../../src/http/served_connection.ts";
import {
  Http1Connection,
  type PrefaceHandler,
} from "../../src/http1/connection.ts";
import { DEFAULT_HTTP1_OPTIONS } from "../../src/http1/options.ts";
import type { ByteReader } from "../../src/streams/byte_reader.ts";
import { everyFeeding, text } from "../_feeding.ts";
import { settledSoon as settled } from "../_turns.ts";
import { echo, MemoryTransport, within } from "./_memory_transport.ts";
import { get, post } from "./_requests.ts";
import { statuses } from "./_responses.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SUCCESSOR = {} as ServedConnection;
const TIMES = { headerTimeout: 1, keepAliveTimeout: 2 };

/** A connection that hands over, and what it has handed over. */
class Handover {
  readonly transport = new MemoryTransport();
  readonly connection: Http1Connection;
  reader: ByteReader | undefined;

  constructor(onPreface: PrefaceHandler = () => SUCCESSOR) {
    const options = { ...DEFAULT_HTTP1_OPTIONS, dateHeader: false, ...TIMES };
    this.connection = new Http1Connection(this.transport, echo, options);
    this.connection.onPreface = (reader) => {
      this.reader = reader;
      return onPreface(reader);
    };
  }

  /** Serves some chunks. */
  run(...chunks: string[]): ReturnType<Http1Connection["run"]> {
    this.transport.push(...chunks);
    return this.connection.run();
  }
}

Deno.test("The preface hands a connection over, with all bytes unread", async () => {
  const wire = `${PREFACE}\0\0\0\x04`;
  for (const { name, chunks } of everyFeeding(wire)) {
    const served = new Handover();
    assert(await within(served.run(...chunks)) === SUCCESSOR, name);
    const { transport, connection, reader } = served;
    assertEquals([connection.upgraded, connection.idle], [true, false]);
    assertEquals([transport.events, transport.output], [[], ""]);
    assertEquals(transport.readDeadline.armed, undefined);
    transport.end();
    while (await reader!.fill());
    assertEquals(text(reader!.take(100)!), wire, name);
  }
});

/** What a client gets that begins with some chunks, and then ends. */
async function outputOf(
  chunks: readonly string[],
  onPreface: PrefaceHandler | undefined,
): Promise<string> {
  const served = new Handover();
  served.connection.onPreface = onPreface;
  const done = served.run(...chunks);
  served.transport.end();
  assertEquals(await within(done), undefined);
  return served.transport.output;
}

/** Asserts that a client gets the same as where HTTP/2 is not spoken. */
async function assertHttp1(...chunks: string[]): Promise<void> {
  const expected = await outputOf(chunks, undefined);
  assert(expected !== "");
  assertEquals(await outputOf(chunks, () => SUCCESSOR), expected);
}

Deno.test("What is no preface is served as ever, however it arrives", async () => {
  const first = [
    get("/1"),
    post("/1", "x"),
    "PRI * HTTP/1.1\r\nHost: a\r\n\r\n",
  ];
  for (const one of first) {
    for (const { chunks } of everyFeeding(one + get("/2"))) {
      await assertHttp1(...chunks);
    }
  }
});

Deno.test("A preface that is wrong, or cut, at any byte is served as ever", async () => {
  for (let at = 1; at < PREFACE.length; at++) {
    const part = PREFACE.slice(0, at);
    for (const rest of ["", "x", "\r\n\r\n", `x${PREFACE}`, "\0\r\n"]) {
      if (rest !== "" && PREFACE[at] === rest[0]) continue;
      await assertHttp1(part + rest);
      if (rest !== "") await assertHttp1(part, rest);
    }
  }
});

Deno.test("Only the first bytes of a connection are the preface", async () => {
  for (const before of [get("/"), "\r\n"]) {
    const served = new Handover();
    const done = served.run(before + PREFACE);
    served.transport.end();
    assertEquals(await within(done), undefined);
    assertEquals(served.reader, undefined);
    assertEquals(statuses(served.transport.output).at(-1), 505);
  }
});

Deno.test("Where nobody takes over, the preface is a version that is not served", async () => {
  const served = new Handover();
  served.connection.onPreface = undefined;
  const done = served.run(PREFACE);
  served.transport.end();
  assertEquals(await within(done), undefined);
  assertEquals(statuses(served.transport.output), [505]);
});

Deno.test("A part of the preface waits as a part of a head does", async () => {
  for (const part of ["P", PREFACE.slice(0, 20)]) {
    const late = new Handover();
    const expiring = late.run(part);
    await settled();
    assertEquals(late.transport.readDeadline.armed, 1);
    late.transport.readDeadline.expire();
    late.transport.end();
    assertEquals(await within(expiring), undefined);
    assertEquals(statuses(late.transport.output), [408]);
    const ended = new Handover();
    const ending = ended.run(part);
    ended.transport.end();
    assertEquals(await within(ending), undefined);
    assert(statuses(ended.transport.output)[0] >= 400);
  }
});

Deno.test("A client that sends nothing is closed at its end, without an answer", async () => {
  const served = new Handover();
  const done = served.run();
  served.transport.end();
  assertEquals(await within(done), undefined);
  assertEquals(served.transport.output, "");
  assert(served.transport.closed);
});

Deno.test("A connection that waits to be handed over can be evicted, and is", async () => {
  const { promise, resolve } = Promise.withResolvers<ServedConnection>();
  const served = new Handover(() => promise);
  const done = served.run(PREFACE);
  await settled();
  const { connection, transport } = served;
  assertEquals([connection.idle, connection.evictable], [false, false]);
  assert(connection.waitingSince !== undefined);
  connection.evict();
  assert(transport.closed);
  // It is for the successor to find that out.
  resolve(SUCCESSOR);
  assert(await within(done) === SUCCESSOR);
});

Deno.test("Once it is handed over, a shutdown or an eviction changes nothing", async () => {
  const served = new Handover();
  await within(served.run(PREFACE));
  const { connection, transport } = served;
  assertEquals(connection.waitingSince, undefined);
  connection.shutdown();
  connection.evict();
  assertEquals(transport.events, []);
  assertEquals(transport.readDeadline.armed, undefined);
  connection.abort();
  assert(transport.closed);
});

Deno.test("If nothing can take over, the connection is closed, and reports it", async () => {
  const served = new Handover(() => Promise.reject(new Error("no module")));
  await assertRejects(() => within(served.run(PREFACE)), Error, "no module");
  assert(served.transport.closed);
});

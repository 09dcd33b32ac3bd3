// What holds whatever a client sends: the connection goes on, or ends with one of
// the errors of the protocol; a stream leads to one call at most; and what is kept
// has a bound.

import { assert, assertEquals } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import { encodeSection } from "../../src/http3/qpack/encoder.ts";
import { bytes, Random } from "../_feeding.ts";
import { concat, data, frame, headers, numbers } from "./_frames.ts";
import { readAll, requestFields, respond, Serving } from "./_serving.ts";

const TYPES = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  0x0d,
  0x21,
  0x41,
  0xf0700,
  0xf0701,
];
const FIELDS: Field[] = [
  [":method", "CONNECT"],
  [":method", "HEAD"],
  [":protocol", "websocket"],
  [":path", "*"],
  ["content-length", "3"],
  ["expect", "100-continue"],
  ["priority", "u=0"],
  ["te", "trailers"],
  ["X", "1"],
];

/** A piece of what a client sends: something sensible, or nonsense. */
function piece(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return frame(random.pick(TYPES), bytes(random.bytes(20)));
    case 1:
      return numbers(random.pick(TYPES), random.below(100));
    case 2:
      return bytes(random.bytes(10));
    case 3:
      return headers([...requestFields("POST"), random.pick(FIELDS)]);
    case 4: {
      const section = encodeSection(requestFields());
      section[random.below(section.length)] ^= 1 << random.below(8);
      return frame(1, section);
    }
    case 5:
      return headers([["t", "1"]]);
    case 6:
      return headers(requestFields());
    default:
      return data("x".repeat(random.below(2000)));
  }
}

function* cuts(wire: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < wire.length;) {
    const end = at + 1 + random.below(wire.length - at);
    yield wire.slice(at, end);
    at = end;
  }
}

/** Codes of HTTP/3 and QPACK. */
function isCode(code: number | undefined): boolean {
  return code === undefined || code >= 0x100 && code <= 0x110 ||
    code >= 0x200 && code <= 0x202;
}

async function attack(random: Random): Promise<void> {
  const calls = new Map<object, number>();
  let streams = 0;
  const serving = new Serving(async (exchange) => {
    calls.set(exchange, (calls.get(exchange) ?? 0) + 1);
    if (random.oneIn(4)) return await respond(exchange, "early");
    if (exchange.request.protocol !== undefined && random.oneIn(2)) {
      return (await exchange.upgrade([])).abort();
    }
    if (random.oneIn(5)) exchange.head(200, []);
    if (random.oneIn(10)) return exchange.abort();
    await readAll(exchange);
    if (random.oneIn(2) && exchange.status === null) {
      await respond(exchange, "x".repeat(random.below(200_000)));
    }
  });
  if (!random.oneIn(3)) serving.begin();
  for (let i = 0; i < 6; i++) {
    const isRequest = !random.oneIn(3);
    const memory = isRequest ? serving.quic.open() : undefined;
    const inbound = memory?.inbound ?? serving.quic.openOneWay();
    if (isRequest) streams++;
    const pieces = Array.from({ length: random.below(5) }, () => piece(random));
    if (isRequest && random.oneIn(2)) pieces.unshift(headers(requestFields()));
    for (const chunk of cuts(concat(...pieces), random)) inbound.send(chunk);
    if (random.oneIn(2)) inbound.end();
    if (random.oneIn(3)) await serving.settled();
    if (random.oneIn(6)) inbound.reset("stream reset by peer: error 268");
    if (random.oneIn(6)) memory?.outbound.fail("sending stopped by peer");
    if (random.oneIn(20)) serving.connection.shutdown();
  }
  await serving.quic.passTime(random.pick([0, 20_000, 200_000]));
  assert(isCode(serving.closeCode), `closed with ${serving.closeCode}`);
  assert(calls.size <= streams);
  assert([...calls.values()].every((count) => count === 1));
  serving.quic.end();
  // What a handler has failed with is a refused request, or a lost client.
  await serving.done.catch((error) => assertKnown(error));
  await serving.settled();
  assertEquals(serving.quic.deadlines.size, 0);
}

function assertKnown(error: Error): void {
  assert(
    /^Cannot|connection|stream/i.test(error.message),
    `${error.stack}`,
  );
}

Deno.test("Whatever a client sends is served, or is an error of the protocol", async () => {
  for (let seed = 1; seed <= 400; seed++) await attack(new Random(seed));
});

Deno.test("Unread content is bounded by one read a stream", async () => {
  const serving = new Serving(() => new Promise(() => {})).begin();
  const streams = Array.from({ length: 20 }, () => serving.quic.open());
  for (const { inbound } of streams) {
    inbound.send(headers(requestFields("POST")));
    for (let i = 0; i < 50; i++) inbound.send(data("x".repeat(1000)));
  }
  await serving.settled();
  for (const { inbound } of streams) {
    assert(inbound.taken < 2500, `${inbound.taken}`);
  }
  await serving.leave();
});

// What holds for any bytes at all: they are requests, or they are refused;
// nothing else escapes, however they are cut. The connection ends when the
// input does, an error is its last response, and a well-formed request after a
// framing error is never served. All of it holds for clients that send late, and
// take their responses late and piece by piece; and one that is lost at any
// point ends its connection and nothing else. Seeds are fixed: a failure names
// its wire.

import { assert, assertEquals } from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { RequestBody } from "../../src/http1/request_body.ts";
import { RequestHeadParser } from "../../src/http1/request_head.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import {
  bytes,
  type Feeding,
  Random,
  randomSplit,
  streamOf,
  whole,
} from "../_feeding.ts";
import {
  type InMemory,
  microtasks,
  type Misbehaviour,
  readContent,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { parseResponses } from "./_responses.ts";

const ROUNDS = 1_500;

/** Sent after every sample. */
const MARKER_PATH = "/marker";
const MARKER = `GET ${MARKER_PATH} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Every status that a refusal may have. */
const REFUSALS = [400, 413, 414, 417, 431, 501, 505];

const WELL_FORMED = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a?b=c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "HEAD http://b:80/c HTTP/1.1\r\nhost: a\r\nAccept: */*\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nTE: trailers\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
  "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
  '3;a=b; c="d"\r\n\r\n0\r\n0a\r\n0123456789\r\n00\r\nX-Sum: 1\r\n\r\n',
  "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
];

/** What mutations insert: what parsers of HTTP have stumbled over. */
const FRAGMENTS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  ";",
  ",",
  '"',
  "\\",
  "\0",
  "\x7f",
  "\xff",
  "0",
  "-1",
  "+",
  "0x",
  "ffffffffffffffff",
  "#",
  "Content-Length: 0\r\n",
  "Content-Length: 7\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "Connection: close\r\n",
  "Expect: 100-continue\r\n",
  "Host: b\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  MARKER.replace(MARKER_PATH, "/inner"),
];

/** Content from little to more than may wait to be written. */
const PIECES = [1, 1_000, 8_100, 20_000, 33_000, 73_000].map((length) =>
  Array.from({ length }, (_, i) => String.fromCharCode(i % 251)).join("")
);

/** What came of a wire. */
interface Outcome {
  readonly statuses: number[];
  readonly paths: string[];
}

type Handler = (exchange: Http1Exchange) => Promise<void>;

/** Handlers that treat their content in every way there is. */
const HANDLERS: Record<string, Handler> = {
  async "reads all"(exchange) {
    const content = await readContent(exchange);
    if (content !== undefined) await respond(exchange, content);
  },
  async "reads nothing"(exchange) {
    await respond(exchange, "unread");
  },
  async "reads once"(exchange) {
    await exchange.readBody().catch(assertHttpError);
    await respond(exchange, "half-read");
  },
  async "overlooks faults"(exchange) {
    try {
      while (await exchange.readBody() !== null);
    } catch (error) {
      assertHttpError(error);
    }
    await respond(exchange, "overlooked");
  },
  async "reads after its response"(exchange) {
    await respond(exchange, "early");
    await exchange.readBody().catch(assertHttpError);
  },
};

function assertHttpError(error: unknown): null {
  if (!(error instanceof HttpError)) throw error;
  return null;
}

/** Serves a wire to its end, and checks what holds for any wire. */
async function serveWire(
  { chunks }: Feeding,
  handler: Handler = HANDLERS["reads all"],
  misbehaviour: Misbehaviour = {},
): Promise<Outcome> {
  const { transport, done, exchanges } = serveInMemory(
    handler,
    {},
    misbehaviour,
  );
  transport.pushAll(chunks);
  transport.end();
  await within(done);
  assert(transport.closed, "The connection stays open");
  const methods = exchanges.map(({ request }) => request.method);
  const statuses = parseResponses(transport.output, methods)
    .map(({ status }) => status).filter((status) => status >= 200);
  for (const [i, status] of statuses.entries()) {
    if (status === 200) continue;
    assert(REFUSALS.includes(status), `Answered with ${status}`);
    assertEquals(i, statuses.length - 1, "There is a response after an error");
  }
  const paths = exchanges.map(({ request }) => request.target.path);
  return { statuses, paths };
}

/** Some way in which a client is slow. */
function slowClient(random: Random): Misbehaviour {
  return {
    piece: random.pick([Infinity, 1, 13, 100]),
    writeDelays: Array.from({ length: 5 }, () => random.below(20)),
    readDelays: Array.from({ length: 5 }, () => random.below(20)),
  };
}

/**
 * Serves a wire with the marker after it, by all handlers, in two feedings,
 * and to slow clients: the wire is refused by all, or by none.
 */
async function check(wire: string, random: Random): Promise<Outcome> {
  const marked = wire + MARKER;
  const outcome = await serveWire(whole(marked));
  const refused = outcome.statuses.some((status) => status >= 400);
  if (refused) assert(!outcome.paths.includes(MARKER_PATH), "Marker is served");
  const cut = randomSplit(marked, 10, random);
  assertEquals(await serveWire(cut), outcome, cut.name);
  for (const [name, handler] of Object.entries(HANDLERS)) {
    const slow = await serveWire(cut, handler, slowClient(random));
    if (name === "reads all") assertEquals(slow, outcome, cut.name);
    const { paths } = await serveWire(cut, handler);
    assertEquals(slow.paths, paths, name);
    if (!refused) continue;
    assert(!paths.includes(MARKER_PATH), `Marker is served: ${name}`);
  }
  return outcome;
}

/** Checks many wires; says which one it was that failed. */
async function checkAll(
  random: Random,
  make: () => string,
  rounds = ROUNDS,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    const wire = make();
    try {
      outcomes.push(await check(wire, random));
    } catch (cause) {
      const message = `Round ${round}: ${JSON.stringify(wire)}: ${cause}`;
      throw new Error(message, { cause });
    }
  }
  return outcomes;
}

function mutate(wire: string, random: Random): string {
  const at = random.below(wire.length + 1);
  const to = at + random.below(8);
  switch (random.below(6)) {
    case 0:
      return wire.slice(0, at) + random.pick(FRAGMENTS) + wire.slice(at);
    case 1:
      return wire.slice(0, at) + random.pick(FRAGMENTS) + wire.slice(to);
    case 2:
      return wire.slice(0, at) + wire.slice(to);
    case 3:
      return wire.slice(0, at) + random.bytes(3) + wire.slice(at + 1);
    case 4:
      return wire.slice(0, to) + wire.slice(at);
    default:
      return wire.slice(0, at) + random.pick(WELL_FORMED).slice(at);
  }
}

function mutated(random: Random): string {
  let wire = random.pick(WELL_FORMED);
  if (random.below(2) === 0) wire += random.pick(WELL_FORMED);
  for (let times = random.below(3); times >= 0; times--) {
    wire = mutate(wire, random);
  }
  return wire;
}

Deno.test("Well-formed requests are served, in any order and however they are cut", async () => {
  const random = new Random(1);
  const lasting = WELL_FORMED.slice(0, -1);
  const outcomes = await checkAll(
    random,
    () => random.pick(lasting) + random.pick(lasting) + random.pick(lasting),
    100,
  );
  for (const { statuses, paths } of outcomes) {
    assertEquals(statuses, [200, 200, 200, 200]);
    assertEquals(paths.at(-1), MARKER_PATH);
  }
});

Deno.test("Arbitrary bytes are refused, and nothing after them is served", async () => {
  const random = new Random(2);
  const outcomes = await checkAll(
    random,
    () => "\x01" + random.bytes(300),
    500,
  );
  for (const { statuses, paths } of outcomes) {
    assertEquals(paths, []);
    assertEquals(statuses.length, 1);
  }
});

Deno.test("Fragments of HTTP in any order are requests, or are refused", async () => {
  const random = new Random(3);
  const words = [...FRAGMENTS, ...WELL_FORMED, "GET", "/", "HTTP/1.1", "a: b"];
  await checkAll(
    random,
    () =>
      Array.from({ length: 1 + random.below(12) }, () => random.pick(words))
        .join(""),
  );
});

Deno.test("Mutated requests are requests, or are refused", async () => {
  const random = new Random(4);
  const outcomes = await checkAll(random, () => mutated(random));
  // The samples are worth something only if they are of both kinds.
  const refused = outcomes
    .filter(({ statuses }) => statuses.some((status) => status >= 400)).length;
  assert(refused > ROUNDS / 10, `Only ${refused} were refused`);
  assert(refused < ROUNDS * 9 / 10, `${refused} were refused`);
});

Deno.test("Mutated content is content, or is refused", async () => {
  const random = new Random(5);
  const head =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const framed = [
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    '3;a=b; c="d"\r\n\r\n0\r\n0a\r\n0123456789\r\n00\r\nX-Sum: 1\r\n\r\n',
    "1\r\n0\r\n2\r\n\r\n\r\n0\r\n\r\n",
  ];
  await checkAll(
    random,
    () => head + mutate(random.pick(framed), random),
  );
});

Deno.test("The parsers throw nothing but HttpError, and end when their bytes do", async () => {
  const random = new Random(6);
  for (let round = 0; round < ROUNDS; round++) {
    const wire = mutated(random);
    const { name, chunks } = randomSplit(wire, 10, random);
    const reader = new ByteReader(streamOf(chunks));
    const parser = new RequestHeadParser(reader);
    let requests = 0;
    try {
      for (let head; (head = await parser.read()) !== null; requests++) {
        const body = new RequestBody(reader, head.framing);
        while (await body.read() !== null);
        assert(body.complete);
      }
      assertEquals(reader.buffered, 0, `${JSON.stringify(wire)}, ${name}`);
    } catch (error) {
      assertHttpError(error);
    }
    assert(requests <= wire.length / 16);
  }
});

/** Ways in which a client is lost while it is being served. */
const LOSSES: Record<string, (served: InMemory) => void> = {
  "reset": ({ transport }) => transport.lose(),
  "broken for writes": ({ transport }) => transport.breakWrites(),
  "aborted": ({ connection }) => connection.abort(),
  "closed": ({ transport }) => transport.close(),
};

Deno.test("A client that is lost at any point ends its connection, and nothing else", async () => {
  const random = new Random(7);
  for (let round = 0; round < ROUNDS; round++) {
    const wire = random.below(2) === 0
      ? mutated(random)
      : random.pick(WELL_FORMED) + random.pick(WELL_FORMED);
    const { chunks, name } = randomSplit(wire, 10, random);
    const [loss, lose] = random.pick(Object.entries(LOSSES));
    const [handles, handler] = random.pick(Object.entries(HANDLERS));
    const served = serveInMemory(
      (exchange) => handler(exchange).catch(() => {}),
      {},
      { ...slowClient(random), brokenAfter: random.below(600) },
    );
    served.transport.pushAll(chunks);
    await microtasks(random.below(300));
    lose(served);
    served.transport.end();
    const message = `Round ${round}: ${JSON.stringify(wire)}, ${name}, ` +
      `${handles}, ${loss}`;
    await within(served.done.catch(() => {}));
    assert(served.transport.closed, message);
    assertEquals(served.transport.readDeadline.armed, undefined, message);
  }
});

/** Content in pieces of any size; sometimes nobody waits until they have left. */
async function sendPieces(
  exchange: Http1Exchange,
  pieces: readonly string[],
  hasty: boolean,
): Promise<void> {
  let sent: Promise<void> | undefined;
  for (const [i, piece] of pieces.entries()) {
    sent = exchange.data(bytes(piece), i === pieces.length - 1);
    if (!hasty) await sent;
  }
  await sent;
}

Deno.test("Content of any size is whole, however slowly it is taken", async () => {
  const random = new Random(8);
  const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (let round = 0; round < 200; round++) {
    const responses = Array.from(
      { length: 1 + random.below(4) },
      () =>
        Array.from(
          { length: 1 + random.below(5) },
          () => random.pick(PIECES).slice(random.below(1_000)),
        ),
    );
    const slow = { ...slowClient(random), piece: 997 + random.below(60_000) };
    const { transport, done, exchanges } = serveInMemory(
      async (exchange) => {
        const pieces = responses[exchanges.length - 1];
        const { length } = pieces.join("");
        const framed = random.below(2) === 0;
        exchange.head(200, framed ? [["content-length", `${length}`]] : []);
        await sendPieces(exchange, pieces, random.below(2) === 0);
      },
      {},
      slow,
    );
    transport.push(head.repeat(responses.length));
    transport.end();
    await within(done);
    const contents = parseResponses(transport.output).map(({ body }) => body);
    assert(
      contents.join() === responses.map((pieces) => pieces.join("")).join(),
      `Round ${round}`,
    );
  }
});

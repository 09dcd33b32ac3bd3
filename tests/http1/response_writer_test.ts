// What a handler of the sub-export can't do: put a broken message on the wire.
// Each fault is an error at once, which says what to do. Where nothing was sent
// yet, the connection stays sound; else it is closed, so that the client sees
// that its response was cut.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import {
  DEFAULT_HTTP1_OPTIONS,
  Http1Connection,
  type Http1Exchange,
} from "../../src/http1/mod.ts";
import { bytes } from "../_feeding.ts";
import {
  MemoryTransport,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { parseResponses, statuses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n";

type Handler = (exchange: Http1Exchange) => unknown;

/** Values that a field must not have. */
const VALUES = ["a\r\nb: c", "a\n", "a\rb", "\0", "\x7f", "Ā", 5, null, {}];
/** Names that a field must not have. */
const NAMES = ["", "a b", "a:", "a\r\nb", "ä", "a\0", 5, null];

/** Fields that can't be sent, as plain JavaScript may give them. */
const FIELDS = [
  ...VALUES.map((value) => ["x-a", value]),
  ...NAMES.map((name) => [name, "value"]),
] as [string, string][];

/** Faults before anything was sent, and what the error says. */
const BEFORE: [what: string, fault: Handler, message: string][] = [
  [
    "content before the head",
    (exchange) => exchange.data(bytes("x"), false),
    "call head() first",
  ],
  [
    "trailers before the head",
    (exchange) => exchange.trailers([]),
    "call head() first",
  ],
  ...[0, 99, 100, 101, 199, 1000, 200.5, NaN, -200, "200"].map((status) =>
    [
      `a status of ${JSON.stringify(status)}`,
      (exchange: Http1Exchange) => exchange.head(status as number, []),
      "must be a whole number from 200 to 999",
    ] as [string, Handler, string]
  ),
  ...[99, 101, 200, 100.5, NaN, "103"].map((status) =>
    [
      `an interim status of ${JSON.stringify(status)}`,
      (exchange: Http1Exchange) =>
        exchange.sendInformational(status as number, []),
      "must be a whole number from 100 to 199 other than 101",
    ] as [string, Handler, string]
  ),
  ...FIELDS.flatMap((field) =>
    ([
      ["a response", (exchange) => exchange.head(200, [field])],
      ["an interim response", (exchange) =>
        exchange.sendInformational(102, [field])],
      ["a refusal", (exchange) =>
        exchange.refuse(400, [field])],
    ] as [string, Handler][]).map(([where, fault]) =>
      [
        `the field ${JSON.stringify(field)} in ${where}`,
        fault,
        "Cannot send field",
      ] as [string, Handler, string]
    )
  ),
  [
    "an upgrade that nobody asked for",
    (exchange) => exchange.upgrade([["upgrade", "raw"]]),
    "the request asks for no other protocol",
  ],
  [
    "two lengths in two spellings",
    (exchange) =>
      exchange.head(200, [["content-length", "5"], ["Content-Length", "2"]]),
    "content-length must be one number",
  ],
];

for (const [what, fault, message] of BEFORE) {
  Deno.test(`A handler can't send ${what}; the connection stays sound`, async () => {
    const { transport, done } = serveInMemory(async (exchange) => {
      await assertRejects(async () => await fault(exchange), Error, message);
      assertFalse(exchange.committed);
      await respond(exchange, "fine");
    });
    transport.push(GET + GET);
    transport.end();
    await within(done);
    const contents = parseResponses(transport.output).map(({ body }) => body);
    // A refusal closes the connection.
    const last = what.includes("refusal") ? 1 : 2;
    assertEquals(contents, Array(last).fill("fine"));
  });
}

/** Faults amid a response of an unknown length, and what the error says. */
const AMID: [what: string, fault: Handler, message: string][] = [
  [
    "a second head",
    (exchange) => exchange.head(200, []),
    "the response has begun",
  ],
  [
    "content that is no Uint8Array",
    (exchange) => exchange.data("text" as unknown as Uint8Array, true),
    "it must be a Uint8Array",
  ],
  ...FIELDS.map((field) =>
    [
      `the field ${JSON.stringify(field)} in trailers`,
      (exchange: Http1Exchange) => exchange.trailers([field]),
      "Cannot send field",
    ] as [string, Handler, string]
  ),
];

for (const [what, fault, message] of AMID) {
  Deno.test(`A handler can't send ${what}; its response can go on`, async () => {
    const { transport, done } = serveInMemory(async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("fi"), false);
      await assertRejects(async () => await fault(exchange), Error, message);
      await exchange.data(bytes("ne"), true);
    });
    transport.push(GET + GET);
    transport.end();
    await within(done);
    const contents = parseResponses(transport.output).map(({ body }) => body);
    assertEquals(contents, ["fine", "fine"]);
  });
}

/** Calls after the response, which had no trailers left to be sent. */
const AFTER: [what: string, fault: Handler][] = [
  ["a second response", (exchange) => exchange.head(200, [])],
  ["more content", (exchange) => exchange.data(bytes("x"), false)],
  ["trailers", (exchange) => exchange.trailers([["x-a", "b"]])],
  ["an upgrade", (exchange) => exchange.upgrade([["upgrade", "raw"]])],
];

for (const [what, fault] of AFTER) {
  Deno.test(`A handler can't send ${what} after its response`, async () => {
    const { transport, done } = serveInMemory(async (exchange) => {
      await respond(exchange, "fine");
      const late = async (): Promise<unknown> => await fault(exchange);
      await assertRejects(late, Error, "the response is complete");
    });
    transport.push(GET + GET);
    transport.end();
    await within(done);
    assertEquals(statuses(transport.output), [200, 200]);
  });
}

/** Content that misses a length of 2. */
const WRONG_LENGTH: [what: string, answer: Handler][] = [
  ["more at once", (exchange) => exchange.data(bytes("hello"), true)],
  ["less at once", (exchange) => exchange.data(bytes("h"), true)],
  ["less before trailers", (exchange) => exchange.trailers([])],
  ["more in parts", async (exchange) => {
    await exchange.data(bytes("he"), false);
    await exchange.data(bytes("llo"), false);
  }],
];

for (const [what, answer] of WRONG_LENGTH) {
  for (const name of ["content-length", "Content-Length"]) {
    Deno.test(`A handler can't miss the length of ${name}: ${what}`, async () => {
      const { transport, done } = serveInMemory(async (exchange) => {
        exchange.head(200, [[name, "2"]]);
        await assertRejects(
          async () => await answer(exchange),
          RangeError,
          "than content-length declared, so the response is cut short",
        );
        assert(exchange.aborted);
        const more = async (): Promise<unknown> =>
          await exchange.data(bytes("x"), true);
        await assertRejects(more, Error, "the response was cut short");
      });
      transport.push(GET + GET);
      await within(done);
      const [head, content] = transport.output.split("\r\n\r\n");
      assert(head.includes("content-length: 2"));
      assert(content === undefined || ["", "he"].includes(content), content);
      assertEquals(transport.events.at(-1), "close");
      assertFalse(transport.writeClosed);
    });
  }
}

Deno.test("A handler can't frame interim responses or trailers", async () => {
  const framing: [string, string][] = [
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
  ];
  const { transport, done } = serveInMemory(async (exchange) => {
    await exchange.sendInformational(102, framing);
    exchange.head(200, [["Transfer-Encoding", "gzip"]]);
    await exchange.trailers(framing);
  });
  transport.push(GET + GET);
  transport.end();
  await within(done);
  const responses = parseResponses(transport.output);
  assertEquals(responses.map(({ status }) => status), [102, 200, 102, 200]);
  assertEquals([responses[0].headers, responses[1].trailers], [[], []]);
});

Deno.test("A handler can't upgrade without the protocol's name", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await assertRejects(
      () => exchange.upgrade([]),
      TypeError,
      'headers must contain "upgrade"',
    );
    await respond(exchange, "fine");
  });
  transport.push(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n",
  );
  transport.end();
  await within(done);
  assertEquals(statuses(transport.output), [200]);
});

Deno.test("A late abort of a complete exchange leaves the next one alone", async () => {
  let first: Http1Exchange | undefined;
  const { transport, done } = serveInMemory(async (exchange) => {
    first?.abort();
    await first?.refuse(500);
    first ??= exchange;
    await respond(exchange, "fine");
  });
  transport.push(GET, GET);
  await settled();
  transport.end();
  await within(done);
  assertEquals(statuses(transport.output), [200, 200]);
  assertEquals([first?.aborted, first?.refusal], [false, undefined]);
});

Deno.test("A connection refuses a Server field that can't be sent", async () => {
  const options = { ...DEFAULT_HTTP1_OPTIONS, serverHeader: "a\r\nb: c" };
  await assertRejects(
    // deno-lint-ignore require-await
    async () =>
      new Http1Connection(new MemoryTransport(), () => settled(), options),
    TypeError,
    "Cannot send field server",
  );
});

// What a handler must not do: steps out of order, content that misses its
// length, and to return without a response.

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
} from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { bytes } from "../_feeding.ts";
import { respond } from "./_memory_transport.ts";
import { parseResponses, statuses } from "./_responses.ts";
import { answer, exchangeOne, HELLO, request } from "./_exchanging.ts";

// What a handler must not do.

/** Calls that are out of order, each with its message, by what came before. */
const OUT_OF_ORDER: Record<
  string,
  [handler: (exchange: Http1Exchange) => unknown, message: string]
> = {
  "content before the head": [
    (exchange) => exchange.data(bytes("hello"), true),
    "Cannot send content: the response has not begun",
  ],
  "trailers before the head": [
    (exchange) => exchange.trailers([]),
    "Cannot send trailers: the response has not begun",
  ],
  "an upgrade before the content was read": [
    (exchange) => exchange.upgrade([]),
    "Cannot upgrade: the request's content was not read",
  ],
  "a status of 101": [
    (exchange) => exchange.head(101, []),
    "Cannot begin response: the status is 101",
  ],
  "no status": [
    (exchange) => exchange.head(NaN, []),
    "Cannot begin response: the status is NaN",
  ],
  "an interim status of 200": [
    (exchange) => exchange.sendInformational(200, []),
    "Cannot send interim response: the status is 200",
  ],
  "an interim status of 101": [
    (exchange) => exchange.sendInformational(101, []),
    "Cannot send interim response: the status is 101",
  ],
  "two lengths": [
    (exchange) => exchange.head(200, [...HELLO, ...HELLO]),
    "content-length must be one number",
  ],
  "a length that is no number": [
    (exchange) => exchange.head(200, [["content-length", "-5"]]),
    'content-length must be one number, not "-5"',
  ],
};

for (const [what, [handler, message]] of Object.entries(OUT_OF_ORDER)) {
  Deno.test(`An exchange refuses ${what}, and can be answered all the same`, async () => {
    const { output, stayedOpen } = await exchangeOne(
      request("POST / HTTP/1.1", "Content-Length: 1") + "x",
      async (exchange) => {
        await assertRejects(
          async () => await handler(exchange),
          Error,
          message,
        );
        await exchange.readBody();
        await respond(exchange, "fine");
      },
    );
    assertEquals(parseResponses(output).map(({ body }) => body), ["fine"]);
    assert(stayedOpen);
  });
}

/** Calls that come after a whole response, or in the middle of one. */
const TOO_LATE: Record<string, (exchange: Http1Exchange) => unknown> = {
  "another head": (exchange) => exchange.head(200, HELLO),
  "an upgrade": (exchange) => exchange.upgrade([]),
};

for (const [what, handler] of Object.entries(TOO_LATE)) {
  Deno.test(`An exchange refuses ${what} amid a response and after it`, async () => {
    const { output } = await exchangeOne(
      request("GET / HTTP/1.1"),
      async (exchange) => {
        exchange.head(200, HELLO);
        await assertRejects(
          async () => await handler(exchange),
          Error,
          "the response has begun",
        );
        await exchange.data(bytes("hello"), true);
        for (
          const late of [
            handler,
            () => exchange.data(bytes("x"), true),
            () => exchange.trailers([]),
          ]
        ) {
          await assertRejects(
            async () => await late(exchange),
            Error,
            "the response is complete",
          );
        }
      },
    );
    assertEquals(parseResponses(output).map(({ body }) => body), ["hello"]);
  });
}

const MISSED: Record<string, string[]> = {
  "more at once": ["hello!"],
  "more in parts": ["hel", "lo!"],
  "more after the whole": ["hello", "!"],
  "less at once": ["hell"],
  "less in parts": ["hel", "l"],
  "nothing": [""],
};

for (const [what, chunks] of Object.entries(MISSED)) {
  Deno.test(`Content that misses its length closes the connection: ${what}`, async () => {
    let thrown: unknown;
    const { transport } = await exchangeOne(
      request("GET / HTTP/1.1"),
      async (exchange) => {
        try {
          await answer({ headers: HELLO, chunks })(exchange);
        } catch (error) {
          thrown = error;
        }
      },
    );
    assertMatch(String(thrown), /^RangeError: Cannot send content: \d bytes/);
    assertFalse(transport.output.includes("hello!"), transport.output);
    assertEquals(transport.events.at(-1), "close");
    assertFalse(transport.writeClosed);
  });
}

Deno.test("A handler that returns without a response is answered for with 500", async () => {
  const { output, stayedOpen } = await exchangeOne(
    request("GET / HTTP/1.1") + request("GET /never HTTP/1.1"),
    () => Promise.resolve(),
  );
  assertEquals(statuses(output), [500]);
  assertFalse(stayedOpen);
});

Deno.test("A handler that returns amid its response has it cut short", async () => {
  const { transport, exchanges } = await exchangeOne(
    request("GET / HTTP/1.1") + request("GET /never HTTP/1.1"),
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("hal"), false);
    },
  );
  assert(transport.output.endsWith("3\r\nhal\r\n"), transport.output);
  assertEquals(exchanges.length, 1);
  assertEquals(transport.events, ["write", "close"]);
});

// The response side of an exchange, over a connection in memory: when it leaves,
// interim responses, trailers, error pages, and what it knows of itself. Each
// response is read back by the strict reader of `_responses.ts`.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { Http1Options } from "../../src/http1/options.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { bytes } from "../_feeding.ts";
import {
  readContent,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { header, parseResponses, statuses } from "./_responses.ts";
import {
  type Answer,
  answer,
  EMPTY,
  exchangeOne,
  HELLO,
  request,
} from "./_exchanging.ts";
import { settledSoon as settled } from "../_turns.ts";

Deno.test("Head and first content leave in one write", async () => {
  const { transport } = await exchangeOne(
    request("GET / HTTP/1.1"),
    answer({ chunks: ["hello"] }),
  );
  assertEquals(transport.writes, 1);
});

Deno.test("Content leaves as it is sent, not when the response ends", async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("first"), false);
    await gate;
    await exchange.data(EMPTY, true);
  });
  transport.push(request("GET / HTTP/1.1"));
  await settled();
  assert(transport.output.endsWith("5\r\nfirst\r\n"));
  release();
  await settled();
  assertEquals(parseResponses(transport.output)[0].body, "first");
  transport.end();
  await within(done);
});

/** More than may wait for a write. */
const PIECE = new Uint8Array(40_000);

Deno.test("data() resolves while little waits to be taken by the client", async () => {
  let sent = 0;
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    for (; sent < 3; sent++) await exchange.data(PIECE, false);
    await exchange.data(EMPTY, true);
  });
  transport.stallWrites();
  transport.push(request("GET / HTTP/1.1"));
  await settled();
  assertEquals(sent, 1);
  transport.acceptWrites();
  await settled();
  assertEquals(sent, 3);
  transport.end();
  await within(done);
});

Deno.test("data() rejects when the client is lost before it takes the bytes", async () => {
  let failure: unknown;
  const { transport, done } = serveInMemory(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(PIECE, false);
    try {
      await exchange.data(PIECE, false);
    } catch (error) {
      failure = error;
    }
  });
  transport.stallWrites();
  transport.push(request("GET / HTTP/1.1"));
  await settled();
  assertEquals(failure, undefined);
  transport.lose();
  await within(done.catch(() => {}));
  assertEquals((failure as Error).message, "Broken pipe");
  assert(transport.closed);
});

// Interim responses.

const HINTS: Partial<Http1Options> = { earlyHints: true };

Deno.test("Interim responses come before the response", async () => {
  const { output } = await exchangeOne(
    request("GET / HTTP/1.1"),
    async (exchange) => {
      await exchange.sendInformational(103, [["link", "</a>"], [
        "link",
        "</b>",
      ]]);
      await exchange.sendInformational(103, [["link", "</c>"]]);
      await respond(exchange, "hello");
    },
    HINTS,
  );
  const [first, second, last] = parseResponses(output);
  assertEquals(first.headers, [["link", "</a>"], ["link", "</b>"]]);
  assertEquals([first.status, second.status, last.status], [103, 103, 200]);
});

Deno.test("Early hints are not sent unless the option says so, others are", async () => {
  const { output, exchanges } = await exchangeOne(
    request("GET / HTTP/1.1"),
    async (exchange) => {
      await exchange.sendInformational(103, [["link", "</a>"]]);
      await exchange.sendInformational(102, []);
      await respond(exchange, "hello");
    },
  );
  assertEquals(statuses(output), [102, 200]);
  assertEquals(exchanges[0].earlyHints, false);
});

Deno.test("Interim responses are not sent to HTTP/1.0", async () => {
  const { output, exchanges } = await exchangeOne(
    request("GET / HTTP/1.0"),
    async (exchange) => {
      await exchange.sendInformational(103, [["link", "</a>"]]);
      await respond(exchange, "hello");
    },
    HINTS,
  );
  assertEquals(statuses(output), [200]);
  assertEquals(exchanges[0].earlyHints, false);
});

Deno.test("Interim responses are not sent after the head", async () => {
  const { output } = await exchangeOne(
    request("GET / HTTP/1.1"),
    async (exchange) => {
      exchange.head(200, [["content-length", "2"]]);
      await exchange.sendInformational(103, [["link", "</a>"]]);
      await exchange.data(bytes("ok"), true);
    },
    HINTS,
  );
  assertEquals(parseResponses(output).map(({ body }) => body), ["ok"]);
});

// Trailers.

/** Answers in chunks with trailers. */
async function answerWithTrailers(exchange: Http1Exchange): Promise<void> {
  exchange.head(200, []);
  await exchange.data(bytes("hello"), false);
  await exchange.trailers([["x-sum", "1"], ["content-length", "9"], [
    "transfer-encoding",
    "chunked",
  ], ["x-sum", "2"]]);
}

Deno.test("Trailers are sent to a client that accepts them, without framing fields", async () => {
  const { output, stayedOpen } = await exchangeOne(
    request("GET / HTTP/1.1", "TE: trailers"),
    answerWithTrailers,
  );
  const [{ body, trailers }] = parseResponses(output);
  assertEquals(body, "hello");
  assertEquals(trailers, [["x-sum", "1"], ["x-sum", "2"]]);
  assert(stayedOpen);
});

Deno.test("Trailers are left out for a client that does not accept them", async () => {
  const { output, stayedOpen } = await exchangeOne(
    request("GET / HTTP/1.1"),
    answerWithTrailers,
  );
  const [{ body, trailers }] = parseResponses(output);
  assertEquals(body, "hello");
  assertEquals(trailers, []);
  assert(stayedOpen);
});

Deno.test("Trailers are left out of a response that is not chunked", async () => {
  const lines = ["HEAD / HTTP/1.1", "GET / HTTP/1.0"];
  for (const line of lines) {
    const { output } = await exchangeOne(
      request(line, "TE: trailers"),
      answerWithTrailers,
    );
    const [{ body }] = parseResponses(output, [line.split(" ")[0]]);
    assertEquals(body, line.startsWith("HEAD") ? "" : "hello");
    assertFalse(output.includes("x-sum"));
  }
});

// Error pages.

Deno.test("refuse() sends an error page that echoes nothing, and closes", async () => {
  const { output, stayedOpen } = await exchangeOne(
    request("POST /secret?token HTTP/1.1", "X-Secret: yes"),
    (exchange) => exchange.refuse(400),
  );
  const [response, ...others] = parseResponses(output);
  assertEquals(others, []);
  assertEquals(response.status, 400);
  assertEquals(response.body, "Bad Request\n");
  assertEquals(
    header(response, "content-type"),
    "text/plain; charset=utf-8",
  );
  assertEquals(header(response, "connection"), "close");
  assertFalse(/secret|token|yes/.test(output));
  assertFalse(stayedOpen);
});

Deno.test("refuse() sends a page for a status without a phrase as well", async () => {
  const { output } = await exchangeOne(
    request("GET / HTTP/1.1"),
    (exchange) => exchange.refuse(599),
  );
  assertEquals(parseResponses(output)[0].body, "Error\n");
});

Deno.test("refuse() to HEAD sends the head of the page only", async () => {
  const { output } = await exchangeOne(
    request("HEAD / HTTP/1.1"),
    (exchange) => exchange.refuse(503),
  );
  assert(output.endsWith("\r\n\r\n"));
  assertEquals(statuses(output, ["HEAD"]), [503]);
});

Deno.test("refuse() aborts a response that has begun", async () => {
  const { transport } = await exchangeOne(
    request("GET / HTTP/1.1"),
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("hal"), false);
      await exchange.refuse(500);
    },
  );
  assert(transport.output.endsWith("3\r\nhal\r\n"));
  assertEquals(transport.events, ["write", "close"]);
});

Deno.test("A body fault that a handler lets escape does not break into its response", async () => {
  const { transport } = await exchangeOne(
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked") + "zz\r\n",
    async (exchange) => {
      exchange.head(200, []);
      await exchange.data(bytes("hal"), false);
      await exchange.readBody();
    },
  );
  assert(transport.output.endsWith("3\r\nhal\r\n"), transport.output);
  assertEquals(transport.events, ["write", "close"]);
});

Deno.test("A body fault that a handler lets escape is answered, if nothing was", async () => {
  const { output } = await exchangeOne(
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked") + "zz\r\n",
    async (exchange) => {
      await exchange.readBody();
    },
  );
  assertEquals(statuses(output), [400]);
});

Deno.test("A body fault after a complete response adds nothing to it", async () => {
  const { output, transport } = await exchangeOne(
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked") + "zz\r\n",
    async (exchange) => {
      await respond(exchange, "done");
      await exchange.readBody();
    },
  );
  assertEquals(parseResponses(output).map(({ body }) => body), ["done"]);
  assertEquals(transport.events, ["write", "closeWrite", "close"]);
});

// What an exchange knows of itself.

Deno.test("An exchange says how far it has come", async () => {
  const states: boolean[][] = [];
  const { exchanges } = await exchangeOne(
    request("POST / HTTP/1.1", "Content-Length: 2") + "ok",
    async (exchange) => {
      const note = (): void => {
        const { committed, complete, bodyComplete } = exchange;
        states.push([committed, complete, bodyComplete]);
      };
      note();
      assertEquals(await readContent(exchange), "ok");
      note();
      exchange.head(200, []);
      note();
      await exchange.data(bytes("a"), false);
      note();
      await exchange.data(EMPTY, true);
      note();
    },
  );
  assertEquals(states, [
    [false, false, false],
    [false, false, true],
    [true, false, true],
    [true, false, true],
    [true, true, true],
  ]);
  assertEquals(exchanges[0].keepAlive, true);
});

Deno.test("An exchange knows its status, and how much content was sent", async () => {
  const cases: [line: string, given: Answer, sent: number][] = [
    ["GET / HTTP/1.1", { status: 201 }, 5],
    ["GET / HTTP/1.1", { headers: HELLO, chunks: ["hel", "lo"] }, 5],
    ["GET / HTTP/1.0", {}, 5],
    ["HEAD / HTTP/1.1", {}, 0],
    ["GET / HTTP/1.1", { status: 204 }, 0],
  ];
  for (const [line, given, sent] of cases) {
    const { exchanges } = await exchangeOne(request(line), answer(given));
    const [{ status, bytesSent, aborted, refusal }] = exchanges;
    assertEquals([status, bytesSent], [given.status ?? 200, sent]);
    assertEquals([aborted, refusal], [false, undefined]);
  }
});

Deno.test("An exchange knows that it was refused, or aborted", async () => {
  const { exchanges: [refused] } = await exchangeOne(
    request("GET / HTTP/1.1"),
    (exchange) => exchange.refuse(503),
  );
  assertEquals([refused.refusal, refused.status], [503, 503]);
  assertEquals([refused.aborted, refused.bytesSent], [false, 20]);
  const { exchanges: [aborted] } = await exchangeOne(
    request("GET / HTTP/1.1"),
    (exchange) => Promise.resolve(exchange.abort()),
  );
  assertEquals([aborted.aborted, aborted.status], [true, null]);
});

Deno.test("takeBody() takes what has arrived, and waits for nothing", async () => {
  const taken: (string | undefined)[] = [];
  await exchangeOne(
    request("POST / HTTP/1.1", "Content-Length: 5") + "he",
    async (exchange) => {
      const take = (): void => {
        const chunk = exchange.takeBody();
        taken.push(chunk && new TextDecoder().decode(chunk));
      };
      take();
      take();
      await assertRejects(
        () => exchange.readBody(),
        HttpError,
        "the stream ended",
      );
      await exchange.refuse(400);
    },
  );
  assertEquals(taken, ["he", undefined]);
});

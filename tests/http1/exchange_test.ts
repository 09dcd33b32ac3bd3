// The response side of an exchange, over a connection in memory: how responses
// are framed, which fields are the connection's own, interim responses, the 100
// that a client waits for, trailers, error pages. Each response is read back by
// the strict reader of `_responses.ts`.

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
} from "@std/assert";
import type { Http1Options } from "../../src/http1/options.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { httpDate } from "../../src/http/date.ts";
import type { Field } from "../../src/http/fields.ts";
import { bytes, everyFeeding } from "../_feeding.ts";
import {
  echo,
  type InMemory,
  microtasks,
  readContent,
  respond,
  serveInMemory,
  settle,
  within,
} from "./_memory_transport.ts";
import {
  header,
  parseResponses,
  type Response,
  statuses,
} from "./_responses.ts";

const EMPTY = new Uint8Array(0);

interface Answer {
  readonly status?: number;
  readonly headers?: Field[];
  readonly chunks?: string[];
}

/** A handler that gives a fixed answer, its last chunk marked as the last. */
function answer(
  { status = 200, headers = [], chunks = ["hello"] }: Answer,
): (exchange: Http1Exchange) => Promise<void> {
  return async (exchange) => {
    exchange.head(status, headers);
    for (const [i, chunk] of chunks.entries()) {
      await exchange.data(bytes(chunk), i === chunks.length - 1);
    }
  };
}

/** A request head of some lines; the first is the request line. */
function request(line: string, ...fields: string[]): string {
  return [line, "Host: a", ...fields, "", ""].join("\r\n");
}

/** Serves one request, and lets the client close behind it. */
async function exchangeOne(
  wire: string,
  handler: (exchange: Http1Exchange) => Promise<void>,
  options: Partial<Http1Options> = {},
): Promise<InMemory & { output: string; stayedOpen: boolean }> {
  const served = serveInMemory(handler, options);
  served.transport.push(wire);
  await settle();
  const stayedOpen = !served.transport.writeClosed && !served.transport.closed;
  served.transport.end();
  await within(served.done);
  return { ...served, output: served.transport.output, stayedOpen };
}

async function responseTo(
  line: string,
  given: Answer,
  fields: string[] = [],
): Promise<Response & { stayedOpen: boolean; wire: string }> {
  const { output, stayedOpen } = await exchangeOne(
    request(line, ...fields),
    answer(given),
    { serverHeader: null },
  );
  const [response, ...others] = parseResponses(output, [line.split(" ")[0]]);
  assertEquals(others, []);
  return { ...response, stayedOpen, wire: output };
}

// Framing.

Deno.test("A response with a content-length is framed by it, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    headers: [["content-length", "5"], ["x-a", "caf\xe9"]],
    chunks: ["he", "llo"],
  });
  assertEquals(response.headers, [["content-length", "5"], ["x-a", "caf\xe9"]]);
  assertEquals(response.body, "hello");
  assert(response.stayedOpen);
});

Deno.test("A response of unknown length to HTTP/1.1 is chunked, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    chunks: ["he", "", "llo, this is more than 16 bytes", ""],
  });
  assertEquals(response.headers, [["transfer-encoding", "chunked"]]);
  assertEquals(response.body, "hello, this is more than 16 bytes");
  assert(response.stayedOpen);
});

Deno.test("Chunked responses end right, whatever their last piece is", async () => {
  for (const chunks of [[""], ["a"], ["a", ""], ["", "a"], ["", ""]]) {
    const { output } = await exchangeOne(
      request("GET / HTTP/1.1"),
      answer({ chunks }),
    );
    const [response] = parseResponses(output);
    assertEquals(response.body, chunks.join(""));
    assertEquals(output.split("0\r\n\r\n").length, 2, output);
  }
});

Deno.test("A response of unknown length to HTTP/1.0 ends with the connection", async () => {
  for (const fields of [[], ["Connection: keep-alive"]]) {
    const response = await responseTo("GET / HTTP/1.0", {
      chunks: ["he", "llo"],
    }, fields);
    assertEquals(response.headers, [["connection", "close"]]);
    assertEquals(response.body, "hello");
    assertFalse(response.stayedOpen);
  }
});

Deno.test("A response of known length keeps an HTTP/1.0 connection that asks for it", async () => {
  const headers: Field[] = [["content-length", "5"]];
  const kept = await responseTo("GET / HTTP/1.0", { headers }, [
    "Connection: keep-alive",
  ]);
  assertEquals(header(kept, "connection"), "keep-alive");
  assert(kept.stayedOpen);
  const closed = await responseTo("GET / HTTP/1.0", { headers });
  assertEquals(header(closed, "connection"), "close");
  assertFalse(closed.stayedOpen);
});

Deno.test("Responses to HEAD keep their headers and lose their content", async () => {
  const known = await responseTo("HEAD / HTTP/1.1", {
    headers: [["content-length", "5"]],
  });
  assertEquals(known.headers, [["content-length", "5"]]);
  assert(known.wire.endsWith("\r\n\r\n"));
  assert(known.stayedOpen);
  const unknown = await responseTo("HEAD / HTTP/1.1", { chunks: ["a", "b"] });
  assert(unknown.wire.endsWith("\r\n\r\n"));
  assertEquals(unknown.body, "");
  assert(unknown.stayedOpen);
});

Deno.test("204 and 304 have no content, and no chunked framing", async () => {
  for (const status of [204, 304]) {
    const response = await responseTo("GET / HTTP/1.1", {
      status,
      chunks: ["dropped", "too"],
    });
    assertEquals(response.status, status);
    assertEquals(response.headers, []);
    assert(response.wire.endsWith("\r\n\r\n"));
    assert(response.stayedOpen);
  }
});

Deno.test("A 205 has no content, and a length of 0 whatever the application says", async () => {
  const lengths: Field[][] = [[], [["content-length", "7"]]];
  for (const line of ["GET / HTTP/1.1", "HEAD / HTTP/1.1"]) {
    for (const headers of lengths) {
      const response = await responseTo(line, {
        status: 205,
        headers,
        chunks: ["dropped", "too"],
      });
      assertEquals(response.headers, [["content-length", "0"]]);
      assert(response.wire.endsWith("\r\n\r\n"));
      assert(response.stayedOpen);
    }
  }
});

Deno.test("A content-length is dropped from 204, and kept in 304", async () => {
  const headers: Field[] = [["content-length", "5"], ["etag", '"a"']];
  const none = await responseTo("GET / HTTP/1.1", { status: 204, headers });
  assertEquals(none.headers, [["etag", '"a"']]);
  const same = await responseTo("GET / HTTP/1.1", { status: 304, headers });
  assertEquals(same.headers, headers);
});

Deno.test("A 2xx to CONNECT has no framing, and ends with the connection", async () => {
  const response = await responseTo("CONNECT a:443 HTTP/1.1", {
    headers: [["content-length", "5"], ["x-a", "b"]],
    chunks: ["tunnel", "led"],
  });
  assertEquals(response.headers, [["x-a", "b"], ["connection", "close"]]);
  assertEquals(response.body, "tunnelled");
  assertFalse(response.stayedOpen);
});

Deno.test("Any other status to CONNECT is framed as any response", async () => {
  for (const status of [300, 405]) {
    const response = await responseTo("CONNECT a:443 HTTP/1.1", {
      status,
      headers: [["content-length", "5"]],
    });
    assertEquals(response.headers, [["content-length", "5"]]);
    assert(response.stayedOpen);
  }
});

Deno.test("A status without a phrase is sent with an empty one", async () => {
  const { output } = await exchangeOne(
    request("GET / HTTP/1.1"),
    answer({ status: 299 }),
  );
  assert(output.startsWith("HTTP/1.1 299 \r\n"));
});

// Fields that are the connection's own.

Deno.test("The application's transfer-encoding and connection are not sent", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    headers: [
      ["transfer-encoding", "gzip"],
      ["connection", "keep-alive, x-a"],
      ["content-length", "5"],
    ],
  });
  assertEquals(response.headers, [["content-length", "5"]]);
  assertEquals(response.body, "hello");
  assert(response.stayedOpen);
});

Deno.test("The application can ask for a close", async () => {
  for (const value of ["close", "Close", "x, close"]) {
    const response = await responseTo("GET / HTTP/1.1", {
      headers: [["connection", value]],
    });
    assertEquals(header(response, "connection"), "close");
    assertFalse(response.stayedOpen);
  }
});

Deno.test("The application can offer an upgrade, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    status: 426,
    headers: [["upgrade", "raw"], ["connection", "x, Upgrade"]],
  });
  assertEquals(response.headers, [
    ["upgrade", "raw"],
    ["transfer-encoding", "chunked"],
    ["connection", "upgrade"],
  ]);
  assert(response.stayedOpen);
});

Deno.test("A client that asks for a close gets it", async () => {
  const response = await responseTo("GET / HTTP/1.1", {}, [
    "Connection: close",
  ]);
  assertEquals(header(response, "connection"), "close");
  assertEquals(response.body, "hello");
  assertFalse(response.stayedOpen);
});

Deno.test("The connection is closed behind its last response: half, then whole", async () => {
  const { transport } = await exchangeOne(
    request("GET / HTTP/1.1", "Connection: close"),
    answer({}),
  );
  assertEquals(transport.events, ["write", "closeWrite", "close"]);
});

Deno.test("Each response says date and server, unless the application did", async () => {
  async function fields(
    headers: Field[],
    options: Partial<Http1Options>,
  ): Promise<Response["headers"]> {
    const { output } = await exchangeOne(
      request("GET / HTTP/1.1"),
      answer({ headers: [["content-length", "5"], ...headers] }),
      options,
    );
    return parseResponses(output)[0].headers.slice(1);
  }
  const both = await fields([], { dateHeader: true });
  assertEquals(both.map(([name]) => name), ["date", "server"]);
  assertMatch(both[0][1], /^[A-Z][a-z]{2}, \d\d .* GMT$/);
  assert(Date.parse(httpDate()) - Date.parse(both[0][1]) <= 5_000);
  assertEquals(both[1][1], "x-asgi");

  const own: Field[] = [["date", "then"], ["server", "mine"]];
  assertEquals(await fields(own, { dateHeader: true }), own);
  assertEquals(await fields([], { dateHeader: false, serverHeader: "s" }), [
    ["server", "s"],
  ]);
  assertEquals(await fields([], { serverHeader: null }), []);
  assertEquals(await fields(own, { serverHeader: null }), own);
});

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
  await settle();
  assert(transport.output.endsWith("5\r\nfirst\r\n"));
  release();
  await settle();
  assertEquals(parseResponses(transport.output)[0].body, "first");
  transport.end();
  await within(done);
});

/** More than may wait behind a write. */
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
  await settle();
  assertEquals(sent, 1);
  transport.acceptWrites();
  await settle();
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
  await settle();
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

Deno.test("Interim responses are not sent behind the head", async () => {
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

// 100 Continue.

const EXPECTING = request(
  "POST / HTTP/1.1",
  "Expect: 100-continue",
  "Content-Length: 5",
);

Deno.test("The 100 is sent when the content is asked for, once", async () => {
  let ask = (): void => {};
  const asked = new Promise<void>((resolve) => ask = resolve);
  const { transport, done } = serveInMemory(async (exchange) => {
    await asked;
    await echo(exchange);
  });
  transport.push(EXPECTING);
  await settle();
  assertEquals(transport.output, "");
  ask();
  await settle();
  assertEquals(statuses(transport.output), [100]);
  transport.push("he");
  await settle();
  transport.push("llo");
  await settle();
  const [, response] = parseResponses(transport.output);
  assertEquals(response.body, "POST / hello");
  assertEquals(header(response, "connection"), undefined);
  transport.push(request("GET /next HTTP/1.1"));
  await settle();
  assertEquals(statuses(transport.output), [100, 200, 200]);
  transport.end();
  await within(done);
});

Deno.test("A response without asking for the content closes the connection", async () => {
  const { output, stayedOpen } = await exchangeOne(
    EXPECTING,
    (exchange) => respond(exchange, "no need"),
  );
  const [response, ...others] = parseResponses(output);
  assertEquals(others, []);
  assertEquals(response.status, 200);
  assertEquals(header(response, "connection"), "close");
  assertFalse(stayedOpen);
});

Deno.test("What comes behind a 100 that was never sent is not served", async () => {
  const { output, exchanges } = await exchangeOne(
    EXPECTING + request("GET /smuggled HTTP/1.1"),
    (exchange) => respond(exchange, "no need"),
  );
  assertEquals(statuses(output), [200]);
  assertEquals(exchanges.length, 1);
});

Deno.test("Content that came at once is read without a 100, and the connection stays", async () => {
  const { output, stayedOpen } = await exchangeOne(EXPECTING + "hello", echo);
  const [response, ...others] = parseResponses(output);
  assertEquals(others, []);
  assertEquals(response.body, "POST / hello");
  assertEquals(header(response, "connection"), undefined);
  assert(stayedOpen);
});

/** The content of a client that does not wait for the 100, in its framings. */
const UNAWAITED = {
  "of a length": request(
    "POST / HTTP/1.1",
    "Expect: 100-continue",
    "Content-Length: 5",
  ) + "hello",
  "in chunks": request(
    "POST / HTTP/1.1",
    "Expect: 100-continue",
    "Transfer-Encoding: chunked",
  ) + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
};

for (const [framing, wire] of Object.entries(UNAWAITED)) {
  Deno.test(`Content ${framing} is read whenever it comes: before, while, and after the 100 is sent`, async () => {
    const headEnd = wire.indexOf("\r\n\r\n") + 4;
    const head = wire.slice(0, headEnd);
    for (const { name, chunks } of everyFeeding(wire.slice(headEnd))) {
      for (let delay = 0; delay < 12; delay++) {
        const { transport, done } = serveInMemory(async (exchange) => {
          const answered = echo(exchange);
          for (const chunk of chunks) {
            await microtasks(delay);
            transport.push(chunk);
          }
          await answered;
        });
        transport.push(head);
        await settle();
        const responses = parseResponses(transport.output);
        assertEquals(
          responses.at(-1)?.body,
          "POST / hello",
          `${name}, after ${delay} microtasks each`,
        );
        assertEquals(header(responses.at(-1)!, "connection"), undefined);
        assert(responses.length <= 2);
        transport.end();
        await within(done);
      }
    }
  });
}

Deno.test("No 100 is sent once content has begun to arrive", async () => {
  const { transport, done } = serveInMemory();
  transport.push(EXPECTING + "he");
  await settle();
  assertEquals(transport.output, "");
  transport.push("llo");
  await settle();
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
});

Deno.test("No 100 is sent behind the response", async () => {
  const { transport, done } = serveInMemory(async (exchange) => {
    await respond(exchange, "early");
    await exchange.readBody().catch(() => {});
  });
  transport.push(EXPECTING);
  await settle();
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
  assertEquals(statuses(transport.output), [200]);
});

Deno.test("An HTTP/1.0 client gets no 100", async () => {
  const { transport, done } = serveInMemory();
  transport.push(EXPECTING.replace("/1.1", "/1.0"));
  await settle();
  assertEquals(transport.output, "");
  transport.push("hello");
  await within(settle());
  assertEquals(statuses(transport.output), [200]);
  transport.end();
  await within(done);
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

Deno.test("A body fault behind a complete response adds nothing to it", async () => {
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

// What a handler must not do.

const HELLO: Field[] = [["content-length", "5"]];

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

// What `fromFetch` makes of a handler, on a real server: streams, disconnects
// and faults end to end.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import {
  type AsgiApp,
  ClientDisconnected,
  type HttpScope,
  type Receive,
  type SendEvent,
} from "../../mod.ts";
import {
  type FetchHandler,
  type FetchInfo,
  fromFetch,
} from "../../src/fetch/mod.ts";
import { post, request } from "../e2e/_raw_client.ts";
import { bounded, netTest, start, until } from "../e2e/_testing.ts";

const PIECE = new Uint8Array(64 * 1024);

/** The answer to one request of a handler on a server. */
async function answer(handler: FetchHandler, ...pieces: string[]) {
  await using server = start(fromFetch(handler));
  using client = await server.connect();
  await client.send(...pieces);
  const [method] = pieces[0].split(" ");
  const response = await client.readResponse({ method });
  return { ...response, errors: server.errors.map(String) };
}

/** What a handler sees of a request whose scope is changed on its way. */
async function urlWith(
  change: Partial<HttpScope>,
  head: string,
): Promise<string> {
  const inner = fromFetch((request) => new Response(request.url));
  const app: AsgiApp = (scope, receive, send) =>
    inner({ ...scope, ...change } as HttpScope, receive, send);
  await using server = start(app);
  using client = await server.connect();
  await client.send(head);
  return (await client.readResponse()).body;
}

netTest("fromFetch gives the URL as the client has asked for it", async () => {
  const head =
    "GET /a/../b%2Fc/./%2e%2E/é?x=%20&y HTTP/1.1\r\nhost: h:1\r\n\r\n"
      .replace("é", "%C3%A9");
  assertEquals(
    await urlWith({}, head),
    "http://h:1/a/../b%2Fc/./%2e%2E/%C3%A9?x=%20&y",
  );
  assertEquals(
    await urlWith({ scheme: "https" }, request("GET", "//h/")),
    "https://test//h/",
  );
  assertEquals(
    await urlWith({}, "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"),
    "http://h/*",
  );
});

netTest(
  "fromFetch gives the server's name where the client has none",
  async () => {
    const server: [string, number] = ["::1", 8080];
    const url = await urlWith({ server, headers: [] }, request("GET", "/a"));
    assertEquals(url, "http://[::1]:8080/a");
    const unix: [string, null] = ["/run/a.sock", null];
    assertEquals(
      await urlWith({ server: unix, headers: [] }, request("GET", "/a")),
      "http://localhost/a",
    );
  },
);

netTest("fromFetch follows the root path and changes of the path", async () => {
  const head = request("GET", "/a%2Fb");
  const mounted = { root_path: "/ä b", path: "/ä b/a/b" };
  assertEquals(await urlWith(mounted, head), "http://test/%C3%A4%20b/a%2Fb");
  const whole = { root_path: "/a", path: "/a/b" };
  assertEquals(await urlWith(whole, head), "http://test/a%2Fb");
  const rewritten = { path: "/100%?#" };
  assertEquals(await urlWith(rewritten, head), "http://test/100%25%3F%23");
});

netTest("fromFetch keeps the URL in copies of the request", async () => {
  const url = "/a/../b";
  const { body } = await answer((request) => {
    const { url, method } = request.clone();
    return new Response(`${method} ${url}`);
  }, post(url, ""));
  assertEquals(body, "POST http://test/a/../b");
});

netTest("fromFetch gives fields as bytes, joined where repeated", async () => {
  const { body } = await answer(
    ({ headers }) => Response.json([...headers]),
    "GET / HTTP/1.1\r\nhost: h\r\nX-A: 1\r\ncookie: a=1\r\nx-a: 2\r\ncookie: b=2\r\n\r\n",
  );
  assertEquals(JSON.parse(body), [
    ["cookie", "a=1; b=2"],
    ["host", "h"],
    ["x-a", "1, 2"],
  ]);
});

netTest("fromFetch sends fields as they are, several cookies too", async () => {
  await using server = start(fromFetch(() => {
    const headers = new Headers([["X-Bytes", "\xe9"]]);
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response("x", { status: 299, headers });
  }));
  const response = await fetch(server.url);
  assertEquals(await response.text(), "x");
  assertEquals(response.status, 299);
  assertEquals(response.headers.get("x-bytes"), "\xe9");
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
});

netTest("fromFetch shows the handler the client and the scope", async () => {
  let reported: FetchInfo | undefined;
  await using server = start(fromFetch((_request, info) => {
    reported = info;
    return new Response();
  }));
  using client = await server.connect();
  await client.get("/x");
  await client.readResponse();
  assertEquals(reported?.remoteAddr, {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: client.port,
  });
  assertEquals(reported?.scope.path, "/x");
  await bounded(reported!.completed, "the response to be over");
});

netTest("fromFetch says the length of content that is there", async () => {
  for (
    const [body, length] of [
      ["abc", "3"],
      ["", "0"],
      [null, "0"],
      [new Uint8Array(100_000), "100000"],
    ] as const
  ) {
    const { headers } = await answer(
      () => new Response(body),
      request("GET", "/"),
    );
    assertEquals(headers.get("content-length"), length);
    assertEquals(headers.get("transfer-encoding"), undefined);
  }
});

netTest("fromFetch sends the head before there is content", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = start(fromFetch(() =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await gate.promise;
          controller.enqueue(new TextEncoder().encode("late"));
          controller.close();
        },
      }),
    )
  ));
  using client = await server.connect();
  await client.get("/");
  const { status } = await bounded(client.readHead(), "the head");
  assertEquals(status, 200);
  gate.resolve();
  assertEquals(await client.readChunk(), "late");
});

netTest(
  "fromFetch answers HEAD without reading a stream to its end",
  async () => {
    const cancelled = Promise.withResolvers<void>();
    const { status, headers } = await answer(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(PIECE),
            cancel: () => cancelled.resolve(),
          }),
          { headers: { "content-length": "1000000" } },
        ),
      request("HEAD", "/"),
    );
    assertEquals([status, headers.get("content-length")], [200, "1000000"]);
    await bounded(cancelled.promise, "the body to be cancelled");
  },
);

netTest("fromFetch answers 204 and 304 without a length", async () => {
  for (const status of [204, 304]) {
    const response = await answer(
      () => new Response(null, { status }),
      request("GET", "/"),
    );
    assertEquals(response.status, status);
    assert(!response.headers.has("content-length"));
  }
});

netTest(
  "fromFetch takes a response from another server as its own",
  async () => {
    await using origin = start(
      fromFetch((request) =>
        new Response(request.body, { headers: { "x-origin": "yes" } })
      ),
    );
    await using proxy = start(
      fromFetch((request) =>
        fetch(new URL("/", origin.url), { method: "POST", body: request.body })
      ),
    );
    const response = await fetch(proxy.url, {
      method: "POST",
      body: "through",
    });
    assertEquals(await response.text(), "through");
    assertEquals(response.headers.get("x-origin"), "yes");
  },
);

const REFUSED: [string, () => unknown, RegExp][] = [
  ["throws", () => {
    throw new Error("It broke");
  }, /^Error: It broke$/],
  [
    "gives Response.error()",
    () => Response.error(),
    /no response can have status 0/,
  ],
  [
    "gives no Response",
    () => ({ status: 200 }),
    /must give a Response, not an/,
  ],
  ["gives nothing", () => undefined, /must give a Response, not undefined/],
  ["gives a body in use", () => {
    const response = new Response("x");
    response.body!.getReader();
    return response;
  }, /body was read before/],
  [
    "declares a length that is wrong",
    () => new Response("abc", { headers: { "content-length": "7" } }),
    /3 bytes where content-length declared 7/,
  ],
];

for (const [what, handler, message] of REFUSED) {
  netTest(`fromFetch answers 500 to a handler that ${what}`, async () => {
    const { status, errors } = await answer(
      handler as FetchHandler,
      request("GET", "/"),
    );
    assertEquals([status, errors.length], [500, 1]);
    assertMatch(errors[0], message);
  });
}

netTest("fromFetch cuts a body that fails, and says so", async () => {
  const bodies = [
    () => new Error("It broke"),
    () => "a string",
  ];
  for (const last of bodies) {
    const failed = Promise.withResolvers<unknown>();
    let first = true;
    await using server = start(fromFetch((_request, { completed }) => {
      completed.catch(failed.resolve);
      return new Response(
        new ReadableStream({
          pull(controller) {
            const piece = first ? PIECE : last();
            first = false;
            if (piece instanceof Error) controller.error(piece);
            else controller.enqueue(piece as Uint8Array);
          },
        }, { highWaterMark: 0 }),
      );
    }));
    using client = await server.connect();
    await client.get("/");
    await assertRejects(() => client.readResponse(), Error, "truncated");
    assertInstanceOf(await bounded(failed.promise, "the failure"), Error);
    assertEquals(server.errors.length, 1);
  }
});

netTest("fromFetch reads content no faster than the handler", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = start(fromFetch(async (request) => {
    await gate.promise;
    let bytes = 0;
    for await (const chunk of request.body!) bytes += chunk.length;
    return new Response(String(bytes));
  }));
  using client = await server.connect();
  const total = 32 * 1024 * 1024;
  let sent = 0;
  await client.send(request("POST", "/", `content-length: ${total}`));
  const sending = (async () => {
    for (; sent < total; sent += PIECE.length) await client.send(PIECE);
  })();
  let before = -1;
  await until(() => {
    const same = sent === before && sent > 0;
    before = sent;
    return same;
  });
  assert(sent < total, "All of the content was taken unread");
  gate.resolve();
  await sending;
  assertEquals((await client.readResponse()).body, String(total));
});

netTest("fromFetch makes content no faster than the client reads", async () => {
  let made = 0;
  const total = 1000;
  await using server = start(fromFetch(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          if (made++ < total) controller.enqueue(PIECE);
          else controller.close();
        },
      }),
    )
  ));
  using client = await server.connect();
  await client.get("/");
  await client.readOneByte();
  let before = -1;
  await until(() => {
    const same = made === before;
    before = made;
    return same;
  });
  assert(made < total, "All of the content was made unread");
});

netTest("fromFetch asks a client to go on when the handler reads", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = start(fromFetch(async (request) => {
    await gate.promise;
    return new Response(await request.text());
  }));
  using client = await server.connect();
  const fields = ["content-length: 5", "expect: 100-continue"];
  await client.send(request("POST", "/", ...fields));
  gate.resolve();
  assertEquals((await client.readHead()).status, 100);
  await client.send("Hello");
  assertEquals((await client.readResponse()).body, "Hello");
});

netTest(
  "fromFetch asks for no content that the handler leaves unread",
  async () => {
    await using server = start(fromFetch(() => new Response("no, thanks")));
    using client = await server.connect();
    const fields = ["content-length: 5", "expect: 100-continue"];
    await client.send(request("POST", "/", ...fields));
    assertEquals((await client.readHead()).status, 200);
  },
);

netTest(
  "fromFetch goes on with the connection after unread content",
  async () => {
    await using server = start(fromFetch(async (request) => {
      if (request.method === "POST") await request.body?.cancel();
      return new Response(request.method);
    }));
    using client = await server.connect();
    await client.send(post("/", "x".repeat(30_000)), request("GET", "/"));
    assertEquals((await client.readResponse()).body, "POST");
    assertEquals((await client.readResponse()).body, "GET");
  },
);

netTest("fromFetch aborts the signal when the client leaves", async () => {
  for (const head of [request("GET", "/"), post("/", "small")]) {
    const begun = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await using server = start(
      fromFetch(({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted.resolve(signal.reason);
            reject(signal.reason);
          });
          begun.resolve();
        })
      ),
    );
    const client = await server.connect();
    await client.send(head);
    await begun.promise;
    client.close();
    const reason = await bounded(aborted.promise, "the signal");
    assertInstanceOf(reason, DOMException);
    assertEquals(reason.name, "AbortError");
    await server.server.shutdown();
    assertEquals(server.errors, []);
  }
});

netTest(
  "fromFetch leaves the signal alone when the response is whole",
  async () => {
    let aborted = 0;
    const overs: Promise<void>[] = [];
    await using server = start(fromFetch(({ signal }, { completed }) => {
      signal.addEventListener("abort", () => aborted++);
      overs.push(completed);
      return new Response("whole");
    }));
    using client = await server.connect();
    for (let i = 0; i < 3; i++) {
      await client.get("/");
      await client.readResponse();
    }
    client.close();
    await Promise.all(overs);
    await server.server.shutdown();
    assertEquals(aborted, 0);
  },
);

netTest(
  "fromFetch cancels a body that waits when the client leaves",
  async () => {
    const cancelled = Promise.withResolvers<unknown>();
    await using server = start(fromFetch(() =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(PIECE),
          cancel: (reason) => cancelled.resolve(reason),
        }),
      )
    ));
    const client = await server.connect();
    await client.get("/");
    await client.readHead();
    client.close();
    assertInstanceOf(
      await bounded(cancelled.promise, "the body to be cancelled"),
      Error,
    );
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

netTest(
  "fromFetch cancels a body in full flow when the client leaves",
  async () => {
    const cancelled = Promise.withResolvers<void>();
    await using server = start(fromFetch(() =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(PIECE),
          cancel: () => cancelled.resolve(),
        }),
      )
    ));
    const client = await server.connect();
    await client.get("/");
    await client.readOneByte();
    client.close();
    await bounded(cancelled.promise, "the body to be cancelled");
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

netTest(
  "fromFetch fails content whose client leaves in the middle",
  async () => {
    const failed = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    await using server = start(fromFetch(async (request) => {
      begun.resolve();
      try {
        return new Response(await request.text());
      } catch (error) {
        failed.resolve(error);
        throw error;
      }
    }));
    const client = await server.connect();
    await client.send(request("POST", "/", "content-length: 9"), "half");
    await begun.promise;
    client.close();
    assertInstanceOf(
      await bounded(failed.promise, "the content to fail"),
      ClientDisconnected,
    );
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

netTest("fromFetch answers a whole response to a half close", async () => {
  await using server = start(fromFetch(() => new Response("still here")));
  using client = await server.connect();
  await client.get("/");
  await client.closeWrite();
  assertEquals((await client.readResponse()).body, "still here");
});

netTest("fromFetch cuts a stream whose client half-closes", async () => {
  await using server = start(fromFetch(() =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(PIECE) }),
    )
  ));
  using client = await server.connect();
  await client.get("/");
  await client.readHead();
  await client.closeWrite();
  const rest = await client.readToEnd();
  assert(!rest.endsWith("0\r\n\r\n"), "The response looks whole");
});

netTest("fromFetch refuses what no Request can be", async () => {
  let calls = 0;
  const handler = () => {
    calls++;
    return new Response();
  };
  const trace = await answer(handler, request("TRACE", "/"));
  assertEquals(trace.status, 501);
  const head = "GET / HTTP/1.1\r\nhost: h:99999\r\n\r\n";
  assertEquals((await answer(handler, head)).status, 400);
  assertEquals(calls, 0);
});

netTest("fromFetch answers a WebSocket's handshake as a request", async () => {
  const response = await answer(
    (request) =>
      new Response(`Only ${new URL(request.url).protocol} here`, {
        status: 426,
        headers: { upgrade: "nothing" },
      }),
    request(
      "GET",
      "/",
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    ),
  );
  assertEquals([response.status, response.body], [426, "Only http: here"]);
  assertEquals(response.errors, []);
});

Deno.test("fromFetch has no lifespan", async () => {
  const app = fromFetch(() => new Response());
  const scope = {
    type: "lifespan",
    asgi: { version: "3.0", spec_version: "2.0" },
    state: {},
  } as const;
  const receive = (() => Promise.reject()) as unknown as Receive;
  await assertRejects(
    async () => {
      await app(scope, receive, receive as never);
    },
    TypeError,
    "Cannot run lifespan",
  );
});

Deno.test("fromFetch closes a WebSocket that can't be denied otherwise", async () => {
  const events: SendEvent[] = [];
  const app = fromFetch(() => new Response());
  const scope = { type: "websocket", headers: [], extensions: {} };
  const send = (event: SendEvent) => {
    events.push(event);
    return Promise.resolve();
  };
  const receive = (() => Promise.reject()) as unknown as Receive;
  await app(scope as never, receive, send as never);
  assertEquals(events, [{ type: "websocket.close" }]);
});

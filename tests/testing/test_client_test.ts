// Requests by the test client: what an application is given, what a test is
// given back, who is held up by whom, and how either side leaves.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClientDisconnected,
  type HttpScope,
  type HttpSendEvent,
  InvalidEventError,
  requestBody,
  respond,
} from "../../mod.ts";
import { TestClient } from "../../src/testing/mod.ts";
import { bytes, clientTest, http } from "./_apps.ts";
import { settled } from "../_turns.ts";

const MIB = 1024 * 1024;

/** The scope that a request gives. */
async function scopeOf(
  target: string | URL,
  init: Parameters<TestClient["fetch"]>[1] = {},
): Promise<HttpScope> {
  let seen: HttpScope | undefined;
  const app = http(async (scope, _receive, send) => {
    seen = scope;
    await respond(send, 200);
  });
  await using client = await TestClient.start(app);
  await client.fetch(target, init);
  return seen!;
}

const echo = http(async (_scope, receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  for await (const body of requestBody(receive)) {
    await send({ type: "http.response.body", body, more_body: true });
  }
  await send({ type: "http.response.body" });
});

// What the application is given.

clientTest("fetch gives the scope that a server would give", async () => {
  const scope = await scopeOf("/a%20b/%C3%A4?c=%20d#e", {
    method: "post",
    headers: [["X-Name", "1"], ["x-name", "2"]],
    body: "Hi",
  });
  const { extensions, ...rest } = scope;
  assertEquals(rest, {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    method: "POST",
    scheme: "http",
    path: "/a b/ä",
    raw_path: "/a%20b/%C3%A4",
    query_string: "c=%20d",
    root_path: "",
    headers: [
      ["host", "localhost"],
      ["x-name", "1"],
      ["x-name", "2"],
      ["content-length", "2"],
    ],
    client: ["127.0.0.1", 50_000],
    server: ["localhost", 80],
  });
  assertEquals(Object.keys(extensions).sort(), [
    "http.response.pathsend",
    "http.response.trailers",
    "http.response.zerocopysend",
    "server.shutdown",
  ]);
});

clientTest("fetch leaves a path as it is, where it can be sent", async () => {
  const paths = ["/../a/./b", "//a", "/a\\b", "/%zz", "/", "/?", "/a?b?c"];
  for (const path of paths) {
    const { raw_path, query_string } = await scopeOf(path);
    const query = path.includes("?") ? `?${query_string}` : "";
    assertEquals(raw_path + query, path);
  }
  assertEquals((await scopeOf("/ä b\ud800")).raw_path, "/%C3%A4%20b%EF%BF%BD");
});

clientTest("fetch takes scheme, host and port from a URL", async () => {
  const url = new URL("https://example.com:8443/a?b");
  const scope = await scopeOf(url, { scheme: "http" });
  assertEquals(scope.scheme, "https");
  assertEquals(scope.headers, [["host", "example.com:8443"]]);
  assertEquals(scope.server, ["example.com", 8443]);
  assertEquals([scope.raw_path, scope.query_string], ["/a", "b"]);
  assertEquals((await scopeOf("https://a/")).server, ["a", 443]);
});

clientTest("a request says what its scope shall be", async () => {
  const scope = await scopeOf("/app/a", {
    client: null,
    scheme: "https",
    httpVersion: "1.0",
    rootPath: "/app",
    extensions: { "x.tls": { version: 0x304 }, "server.shutdown": undefined },
    headers: { host: "a" },
  });
  assertEquals(scope.client, null);
  assertEquals([scope.scheme, scope.http_version], ["https", "1.0"]);
  assertEquals([scope.root_path, scope.path], ["/app", "/app/a"]);
  assertEquals(scope.headers, [["host", "a"]]);
  assertEquals(scope.extensions, {
    "http.response.pathsend": {},
    "http.response.zerocopysend": {},
    "x.tls": { version: 0x304 },
  });
});

clientTest("a client's options hold unless a request's differ", async () => {
  const seen: unknown[] = [];
  const app = http(async (scope, _receive, send) => {
    const { client, http_version, extensions } = scope;
    seen.push([client, http_version, "a" in extensions, "b" in extensions]);
    await respond(send, 200);
  });
  await using client = await TestClient.start(app, {
    client: ["192.0.2.1", 1],
    httpVersion: "2",
    extensions: { a: {} },
  });
  await client.fetch("/");
  await client.fetch("/", { httpVersion: "3", extensions: { b: {} } });
  assertEquals(seen, [
    [["192.0.2.1", 1], "2", true, false],
    [["192.0.2.1", 1], "3", true, true],
  ]);
});

clientTest("fetch refuses what is no request", async () => {
  const app = http((_scope, _receive, send) => respond(send, 200));
  await using client = await TestClient.start(app);
  for (
    const [target, init, message] of [
      ["a", {}, '"a" is neither a path nor a URL'],
      ["ftp://a/", {}, "neither a path nor a URL"],
      ["/", { method: "A B" }, '"A B" is no method'],
      ["/", { headers: { "a b": "c" } }, 'field name "a b" is no token'],
      ["/", { headers: { a: "b\r\nc" } }, "the value of a"],
      ["/", { headers: { a: "\u{20ac}" } }, "the value of a"],
      [
        "/",
        { httpVersion: "1.0", body: new Blob(["a"]).stream() },
        "a stream needs a content-length on HTTP/1.0",
      ],
    ] as const
  ) {
    await assertRejects(() => client.fetch(target, init), TypeError, message);
  }
});

// Content, both ways.

clientTest("fetch carries text, bytes and streams both ways", async () => {
  await using client = await TestClient.start(echo);
  const text = "wörld".repeat(50_000);
  const stream = ReadableStream.from([bytes("a"), bytes(""), bytes("bc")]);
  for (
    const [body, expected] of [
      ["", ""],
      ["wörld", "wörld"],
      [text, text],
      [bytes(text), text],
      [stream, "abc"],
    ] as const
  ) {
    const response = await client.fetch("/", { method: "POST", body });
    assert(await response.text() === expected);
  }
});

clientTest("large content comes in pieces, which are copies", async () => {
  const lengths: [number, boolean][] = [];
  const app = http(async (_scope, receive, send) => {
    for await (const event of receive) {
      if (event.type !== "http.request") return;
      lengths.push([event.body.length, event.more_body]);
      event.body.fill(0xff);
      if (!event.more_body) break;
    }
    await respond(send, 200);
  });
  await using client = await TestClient.start(app);
  const body = new Uint8Array(100_000);
  await client.fetch("/", { method: "POST", body });
  assertEquals(lengths, [[65_536, true], [34_464, false]]);
  assert(body.every((byte) => byte === 0));
});

clientTest("of a stream nothing is read that is not received", async () => {
  const go = Promise.withResolvers<void>();
  let pulled = 0;
  const app = http(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "-", more_body: true });
    await go.promise;
    for (let i = 0; i < 3; i++) await receive();
    await send({ type: "http.response.body" });
  });
  await using client = await TestClient.start(app);
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(bytes("a"));
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  const response = await client.fetch("/", { method: "POST", body });
  await settled();
  assertEquals(pulled, 0);
  go.resolve();
  await response.text();
  assertEquals(pulled, 3);
  await settled();
  assert(cancelled, "the rest of the stream is still waited for");
});

clientTest("an application is held up by what nobody reads", async () => {
  let sent = 0;
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const body = new Uint8Array(16 * 1024);
    for (; sent < MIB; sent += body.length) {
      await send({ type: "http.response.body", body, more_body: true });
    }
    await send({ type: "http.response.body" });
  });
  await using client = await TestClient.start(app);
  const response = await client.fetch("/");
  await settled();
  assertEquals(sent, 64 * 1024); // And the fifth of them waits for room.
  assertEquals((await response.bytes()).length, MIB);
});

clientTest("content is streamed as it is sent", async () => {
  const more = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more_body: true });
    await more.promise;
    await send({ type: "http.response.body", body: "b" });
  });
  await using client = await TestClient.start(app);
  const response = await client.fetch("/");
  const reader = response.body!.getReader();
  assertEquals((await reader.read()).value, bytes("a"));
  more.resolve();
  assertEquals((await reader.read()).value, bytes("b"));
  assertEquals((await reader.read()).done, true);
});

// What the server does to responses.

clientTest("responses without content have none", async () => {
  const app = http(async (scope, _receive, send) => {
    const status = Number(scope.path.slice(1));
    await respond(send, status, { body: "content" });
  });
  await using client = await TestClient.start(app);
  const head = await client.fetch("/200", { method: "HEAD" });
  assertEquals(head.headers.get("content-length"), "7");
  assertEquals([head.body, await head.text()], [null, ""]);
  const noContent = await client.fetch("/204");
  assertEquals([...noContent.headers], []);
  assertEquals(noContent.body, null);
  const reset = await client.fetch("/205");
  assertEquals([[...reset.headers], reset.body], [[], null]);
  const notModified = await client.fetch("/304");
  assertEquals(notModified.headers.get("content-length"), "7");
  assertEquals(notModified.body, null);
});

clientTest("fields of framing do not reach the test, others do", async () => {
  const app = http(async (_scope, _receive, send) => {
    await respond(send, 200, {
      headers: [
        ["connection", "close"],
        ["transfer-encoding", "chunked"],
        ["Set-Cookie", "a"],
        ["set-cookie", "b"],
        ["x-latin", "\xe4"],
      ],
    });
  });
  await using client = await TestClient.start(app);
  const exchange = client.request("/");
  assertEquals((await exchange.head).headers, [
    ["set-cookie", "a"],
    ["set-cookie", "b"],
    ["x-latin", "\xe4"],
    ["content-length", "0"],
  ]);
  assertEquals((await exchange.response).headers.getSetCookie(), ["a", "b"]);
});

clientTest("a status that no Response can have is in the head", async () => {
  const app = http((_scope, _receive, send) => respond(send, 799));
  await using client = await TestClient.start(app);
  assertEquals((await client.request("/").head).status, 799);
  await assertRejects(() => client.fetch("/"), RangeError);
});

/** Sends early hints, content and trailers. */
const withTrailers = http(async (scope, _receive, send) => {
  if ("http.response.early_hint" in scope.extensions) {
    await send({ type: "http.response.early_hint", links: ["</a>", "</b>"] });
  }
  const length: [string, string] = ["content-length", "1"];
  const headers = scope.query_string === "length" ? [length] : [];
  await send({
    type: "http.response.start",
    status: 200,
    headers,
    trailers: true,
  });
  await send({ type: "http.response.body", body: "a" });
  await send({
    type: "http.response.trailers",
    headers: [["x-a", "1"], ["content-length", "1"]],
    more_trailers: true,
  });
  await send({ type: "http.response.trailers", headers: [["x-b", "2"]] });
});

clientTest("request shows early hints and trailers", async () => {
  await using client = await TestClient.start(withTrailers, {
    extensions: { "http.response.early_hint": {} },
  });
  const exchange = client.request("/", { headers: { te: "trailers" } });
  assertEquals(await (await exchange.response).text(), "a");
  const link = [["link", "</a>"], ["link", "</b>"]] as const;
  assertEquals(exchange.informational, [{ status: 103, headers: link }]);
  const trailers = [["x-a", "1"], ["x-b", "2"]];
  assertEquals([...await exchange.trailers], trailers);
});

clientTest(
  "early hints come over HTTP/2 and HTTP/3 without being asked for",
  async () => {
    await using client = await TestClient.start(withTrailers);
    for (
      const [httpVersion, count] of [["1.1", 0], ["2", 1], ["3", 1]] as const
    ) {
      const exchange = client.request("/", { httpVersion });
      await (await exchange.response).text();
      assertEquals(exchange.informational.length, count, httpVersion);
    }
  },
);

clientTest("trailers come where the wire can carry them", async () => {
  await using client = await TestClient.start(withTrailers);
  const headers = { te: "trailers" };
  for (
    const [path, init, count] of [
      ["/", {}, 0],
      ["/", { headers, method: "HEAD" }, 0],
      ["/?length", { headers }, 0],
      ["/", { headers }, 2],
      ["/", { httpVersion: "2" }, 2],
    ] as const
  ) {
    const { trailers } = client.request(path, init);
    assertEquals([...await trailers].length, count, JSON.stringify(init));
  }
});

clientTest("HTTP/1.0 has neither hints nor trailers", async () => {
  const app = http(async (scope, _receive, send) => {
    assert(!("http.response.early_hint" in scope.extensions));
    await assertRejects(
      () => send({ type: "http.response.early_hint", links: ["</a>"] }),
      InvalidEventError,
      "the scope does not offer it",
    );
    await respond(send, 200);
  });
  await using client = await TestClient.start(app, { httpVersion: "1.0" });
  const exchange = client.request("/");
  await exchange.response;
  assertEquals(exchange.informational, []);
});

// Clients that leave.

/** Sends for ever, and keeps how that ended. */
function endless(ended: (event: string, error: unknown) => void) {
  return http(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    try {
      for (;;) {
        const body = new Uint8Array(1024);
        await send({ type: "http.response.body", body, more_body: true });
      }
    } catch (error) {
      await receive();
      ended((await receive()).type, error);
      throw error;
    }
  });
}

for (const how of ["disconnect", "abort", "cancel"] as const) {
  clientTest(
    `an application notices that its client has left by ${how}`,
    async () => {
      const ended = Promise.withResolvers<[string, unknown]>();
      const app = endless((type, error) => ended.resolve([type, error]));
      await using client = await TestClient.start(app);
      const controller = new AbortController();
      const { signal } = controller;
      const exchange = client.request("/", { signal });
      const response = await exchange.response;
      if (how === "disconnect") exchange.disconnect();
      else if (how === "abort") controller.abort(new Error("enough"));
      else await response.body?.cancel();
      const [type, error] = await ended.promise;
      assertEquals(type, "http.disconnect");
      assert(error instanceof ClientDisconnected);
      await exchange.finished;
      assertEquals(client.errors, []);
      if (how === "abort") {
        await assertRejects(() => response.text(), Error, "enough");
      }
    },
  );
}

clientTest("a client can leave before the response has begun", async () => {
  const app = http(async (_scope, receive, send) => {
    while ((await receive()).type !== "http.disconnect");
    await respond(send, 200);
  });
  await using client = await TestClient.start(app);
  const exchange = client.request("/");
  exchange.disconnect();
  await assertRejects(() => exchange.response, DOMException, "disconnected");
  await exchange.finished;
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => client.fetch("/", { signal }), Error, "too late");
  assertEquals(client.errors, []);
});

clientTest("a client can leave amid its content", async () => {
  const ended = Promise.withResolvers<string>();
  const app = http(async (_scope, receive) => {
    assertEquals((await receive()).type, "http.request");
    ended.resolve((await receive()).type);
  });
  await using client = await TestClient.start(app);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const exchange = client.request("/", { method: "POST", body: readable });
  await writer.write(bytes("a"));
  await settled();
  exchange.disconnect();
  assertEquals(await ended.promise, "http.disconnect");
  await assertRejects(() => writer.write(bytes("b")));
});

clientTest("content that fails takes its client away", async () => {
  const ended = Promise.withResolvers<string>();
  const app = http(async (_scope, receive) => {
    ended.resolve((await receive()).type);
  });
  await using client = await TestClient.start(app);
  const body = new ReadableStream<Uint8Array>({
    pull() {
      throw new Error("no more");
    },
  }, { highWaterMark: 0 });
  await assertRejects(
    () => client.fetch("/", { method: "POST", body }),
    Error,
    "no more",
  );
  assertEquals(await ended.promise, "http.disconnect");
});

clientTest("a client that half-closes is still answered", async () => {
  const app = http(async (_scope, receive, send) => {
    assertEquals((await receive()).type, "http.request");
    assertEquals((await receive()).type, "http.disconnect");
    await respond(send, 200, { body: "still there" });
  });
  await using client = await TestClient.start(app);
  const exchange = client.request("/");
  await settled();
  exchange.halfClose();
  assertEquals(await (await exchange.response).text(), "still there");
});

clientTest("a half close amid the content is a bad request", async () => {
  await using client = await TestClient.start(http(async (_scope, receive) => {
    while ((await receive()).type !== "http.disconnect");
  }));
  const { readable } = new TransformStream<Uint8Array, Uint8Array>();
  const exchange = client.request("/", { method: "POST", body: readable });
  await settled();
  exchange.halfClose();
  const response = await exchange.response;
  assertEquals([response.status, await response.text()], [
    400,
    "Bad Request\n",
  ]);
});

// Applications that fail.

const broken = http(() => {
  throw new RangeError("broken");
});

clientTest("fetch throws what the application throws", async () => {
  await using client = await TestClient.start(broken);
  await assertRejects(() => client.fetch("/"), RangeError, "broken");
  assertEquals(client.errors.length, 1);
});

clientTest("fetch throws what a broken content-length gives", async () => {
  const app = http(async (_scope, _receive, send) => {
    const headers = [["content-length", "1"]] as const;
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body: "abc" });
  });
  await using client = await TestClient.start(app);
  await assertRejects(
    () => client.fetch("/"),
    TypeError,
    "3 bytes where content-length declared 1",
  );
});

clientTest("fetch gives the 500 if it is not to throw", async () => {
  const raiseAppErrors = false;
  await using client = await TestClient.start(broken, { raiseAppErrors });
  const response = await client.fetch("/");
  assertEquals(response.status, 500);
  assertEquals(await response.text(), "Internal Server Error\n");
  assertEquals(client.errors.map(String), ["RangeError: broken"]);
});

/** Fails after its first content. */
const failsAmid = http(async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: "a", more_body: true });
  throw new RangeError("amid");
});

for (const raiseAppErrors of [true, false]) {
  const what = raiseAppErrors ? "the error" : "the cut";
  clientTest(
    `a response that fails amid has its content, then ${what}`,
    async () => {
      await using client = await TestClient.start(failsAmid, {
        raiseAppErrors,
      });
      const response = await client.fetch("/");
      const reader = response.body!.getReader();
      assertEquals((await reader.read()).value, bytes("a"));
      const message = raiseAppErrors ? "amid" : "it was cut short";
      await assertRejects(() => reader.read(), Error, message);
    },
  );
}

clientTest("an error is thrown once, whatever ends the client", async () => {
  const error = await assertRejects(async () => {
    await using client = await TestClient.start(failsAmid);
    await client.fetch("/");
    await client.shutdown();
  });
  assertEquals(String(error), "RangeError: amid");
});

clientTest("what fails after the response is thrown at the end", async () => {
  const app = http(async (_scope, _receive, send) => {
    await respond(send, 200);
    throw new RangeError("late");
  });
  const client = await TestClient.start(app);
  assertEquals((await client.fetch("/")).status, 200);
  await assertRejects(() => client.shutdown(), RangeError, "late");
  const several = await TestClient.start(app);
  for (let i = 0; i < 2; i++) await several.fetch("/");
  const error = await assertRejects(() => several.shutdown(), AggregateError);
  assertEquals(error.errors.map(String), Array(2).fill("RangeError: late"));
});

clientTest(
  "what fails amid a response that is not read is thrown at the end",
  async () => {
    const client = await TestClient.start(failsAmid);
    await client.fetch("/");
    await assertRejects(() => client.shutdown(), RangeError, "amid");
  },
);

clientTest("events after a complete response are ignored", async () => {
  const app = http(async (_scope, _receive, send) => {
    await respond(send, 200);
    await send({ type: "http.response.body" });
  });
  await using client = await TestClient.start(app);
  const exchange = client.request("/");
  await exchange.finished;
  assertEquals(client.ignoredEvents, ["http.response.body"]);
});

// Files.

Deno.test({
  name: "files are sent by their paths, and in parts",
  ignore: Deno.permissions.querySync({ name: "read" }).state !== "granted",
  async fn() {
    const path = new URL("../../deno.json", import.meta.url).pathname;
    const app = http(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      const event: HttpSendEvent = scope.path === "/part"
        ? { type: "http.response.zerocopysend", file, offset: 2, count: 5 }
        : { type: "http.response.pathsend", path: path + scope.query_string };
      await send(event);
    });
    using file = await Deno.open(path);
    await using client = await TestClient.start(app);
    const text = await Deno.readTextFile(path);
    assertEquals(await (await client.fetch("/")).text(), text);
    const part = await client.fetch("/part");
    assertEquals(await part.text(), text.slice(2, 7));
    await assertRejects(() => client.fetch("/?.missing"), Error, "missing");
  },
});

clientTest("an app that is no function is refused", async () => {
  const app = {} as unknown as typeof echo;
  await assertRejects(() => TestClient.start(app), TypeError, "must be a fun");
});

clientTest("a client that has shut down makes no requests", async () => {
  const client = await TestClient.start(echo);
  await client.shutdown();
  assertThrows(() => client.request("/"), Error, "has shut down");
  await assertRejects(() => client.websocket("/"), Error, "has shut down");
});

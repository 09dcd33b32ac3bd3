// The examples behave the same through `toFetch` on Deno's own server as on
// this project's, as far as `fetch` can carry it.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AsgiApp, ServeOptions } from "../../mod.ts";
import { toFetch } from "../../src/fetch/mod.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import { post, RawClient, request } from "../e2e/_raw_client.ts";
import { netTest } from "../e2e/_testing.ts";
import {
  type Answer,
  ask,
  type Listening,
  serveAsgi,
  serveFetch,
} from "./_servers.ts";

/** Serves an application on both servers, and lets `fn` use them in turn. */
async function onBoth<T>(
  app: AsgiApp,
  fn: (server: Listening) => Promise<T>,
  options: ServeOptions = {},
): Promise<[asgi: T, fetch: T]> {
  const handler = toFetch(app, { upgradeWebSocket: Deno.upgradeWebSocket });
  await using asgi = serveAsgi(app, options);
  await using fetch = serveFetch(handler);
  const results: [T, T] = [await fn(asgi), await fn(fetch)];
  await handler.shutdown();
  return results;
}

/** Declares a test that imports an example, which may read its environment. */
function exampleTest(name: string, fn: () => Promise<void>): void {
  netTest(`${name} does the same through toFetch`, fn, {
    permissions: ["env", "read"],
  });
}

/** Asks both servers, and compares what they answer. */
async function compare(
  app: AsgiApp,
  pieces: readonly string[],
  mask: RegExp = /$^/g,
): Promise<Answer> {
  const [asgi, fetch] = await onBoth(app, (server) => ask(server, pieces));
  const [lengthThere, lengthHere] = [asgi, fetch]
    .map(({ headers }) => headers["content-length"]);
  // What comes whole may have its length said, or not.
  if (lengthThere === undefined || lengthHere === undefined) {
    delete asgi.headers["content-length"];
    delete fetch.headers["content-length"];
  }
  const text = (answer: Answer) => JSON.stringify(answer).replace(mask, "…");
  assertEquals(text(fetch), text(asgi));
  return asgi;
}

const CHUNKED = [
  request("POST", "/", "transfer-encoding: chunked"),
  "5\r\nhello\r\n",
  "5\r\n worl\r\n1\r\nd\r\n0\r\n\r\n",
];

exampleTest("hello.ts", async () => {
  const { app } = await import("../../examples/hello.ts");
  const answer = await compare(app, [request("GET", "/w%C3%B6rld")]);
  assertEquals(answer.status, 200);
  await compare(app, [request("HEAD", "/")]);
});

exampleTest("echo.ts", async () => {
  const { app } = await import("../../examples/echo.ts");
  await compare(app, [post("/", "Hello")]);
  await compare(app, [request("GET", "/")]);
  const { body } = await compare(app, CHUNKED);
  assertEquals(body, "hello world");
});

exampleTest("upload.ts", async () => {
  const { app } = await import("../../examples/upload.ts");
  const { body } = await compare(app, [post("/", "x".repeat(1_000_000))]);
  assertEquals(body, "1000000 bytes\n");
});

exampleTest("download.ts", async () => {
  const { app } = await import("../../examples/download.ts");
  const { body } = await compare(app, [request("GET", "/?3")]);
  assertEquals(body.length, 3 * 1024 * 1024);
  assertEquals((await compare(app, [request("GET", "/?x")])).status, 400);
});

exampleTest("transform.ts", async () => {
  const { app } = await import("../../examples/transform.ts");
  assertEquals((await compare(app, [post("/", "hello")])).body, "HELLO");
  await compare(app, CHUNKED);
});

exampleTest("middleware.ts", async () => {
  const { app } = await import("../../examples/middleware.ts");
  const { headers } = await compare(app, [request("GET", "/")], /dur=[\d.]+/g);
  assert("server-timing" in headers);
});

exampleTest("lifespan.ts", async () => {
  const { app } = await import("../../examples/lifespan.ts");
  const { body } = await compare(app, [request("GET", "/")], /\d\d:\d\d:\d\d/g);
  assert(/^Running since \w{3} /.test(body), body);
});

exampleTest("access_log.ts", async () => {
  const { app } = await import("../../examples/access_log.ts");
  assertEquals((await compare(app, [request("GET", "/")])).status, 200);
  assertEquals((await compare(app, [request("GET", "/missing")])).status, 404);
});

exampleTest("fetch_handler.ts", async () => {
  const { app } = await import("../../examples/fetch_handler.ts");
  await compare(app, [post("/echo", "there and back")]);
  assertEquals((await compare(app, [request("GET", "/")])).status, 404);
});

exampleTest("deno_serve.ts", async () => {
  const { app } = await import("../../examples/deno_serve.ts");
  const { body } = await compare(app, [request("GET", "/world")]);
  assertEquals(body, "Hello from /world\n");
});

exampleTest("early_hints_and_trailers.ts, without either,", async () => {
  const { app } = await import("../../examples/early_hints_and_trailers.ts");
  const [asgi, fetch] = await onBoth(app, async ({ port }) => {
    using client = await RawClient.connect(port);
    await client.get("/", "te: trailers", "connection: te");
    const first = await client.readResponse();
    if (first.status !== 103) return { hinted: false, ...first };
    return { hinted: true, ...await client.readResponse() };
  }, { earlyHints: true });
  assertEquals([asgi.hinted, asgi.trailers.size], [true, 1]);
  assertEquals([fetch.hinted, fetch.trailers.size], [false, 0]);
  assert(!fetch.headers.has("trailer"));
  assertEquals([fetch.status, fetch.body], [asgi.status, asgi.body]);
});

exampleTest("server_sent_events.ts", async () => {
  const { app } = await import("../../examples/server_sent_events.ts");
  const [asgi, fetch] = await onBoth(app, async ({ port }) => {
    const client = await RawClient.connect(port);
    await client.get("/");
    const { status, headers } = await client.readHead();
    const [id, data] = (await client.readChunk()).split("\n");
    client.close();
    return [status, headers.get("content-type"), id, data.slice(0, 5)];
  });
  assertEquals(fetch, asgi);
});

function open({ port }: Listening, path: string, protocols: string[] = []) {
  return WebSocketClient.open(`ws://127.0.0.1:${port}${path}`, protocols);
}

exampleTest("websocket_echo.ts", async () => {
  const { app } = await import("../../examples/websocket_echo.ts");
  const [asgi, fetch] = await onBoth(app, async (server) => {
    await using client = await open(server, "/");
    client.send("text");
    client.send(Uint8Array.of(1, 2));
    const echoes = [await client.next(), await client.next()];
    return [...echoes, await client.close(3000, "Bye")];
  });
  assertEquals(fetch, asgi);
  assertEquals(fetch[0], "text");
  assertEquals((await compare(app, [request("GET", "/")])).status, 426);
});

exampleTest("chat.ts", async () => {
  const { createChat } = await import("../../examples/chat.ts");
  const [asgi, fetch] = await onBoth(createChat(), async (server) => {
    await using ada = await open(server, "/chat?name=Ada");
    const reported = [await ada.nextJson()];
    await using bob = await open(server, "/chat?name=Bob");
    reported.push(await ada.nextJson(), await bob.nextJson());
    bob.send("Hello");
    reported.push(await ada.nextJson(), await bob.nextJson());
    await using nobody = await open(server, "/chat?name=");
    reported.push(await nobody.closed());
    await bob.close();
    reported.push(await ada.nextJson());
    await ada.close();
    return reported;
  });
  assertEquals(fetch, asgi);
});

exampleTest("websocket_subprotocols.ts", async () => {
  const { app } = await import("../../examples/websocket_subprotocols.ts");
  const [asgi, fetch] = await onBoth(app, async (server) => {
    await using json = await open(server, "/", ["other", "sum.json"]);
    json.send("[1, 2]");
    const sum = await json.next();
    json.send("nonsense");
    const closed = await json.closed();
    await assertRejects(() => open(server, "/", ["other"]), Error, "open");
    return [json.protocol, sum, closed];
  });
  assertEquals(fetch, asgi);
});

exampleTest("websocket_denial.ts", async () => {
  const { app } = await import("../../examples/websocket_denial.ts");
  const handshake = request(
    "GET",
    "/?token=wrong",
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  );
  const { status, headers } = await compare(app, [handshake]);
  assertEquals([status, headers["www-authenticate"]], [401, "Bearer"]);
  const token = Deno.env.get("TOKEN") || "secret";
  const [asgi, fetch] = await onBoth(app, async (server) => {
    await using client = await open(server, `/?token=${token}`);
    return await client.next();
  });
  assertEquals([asgi, fetch], ["Welcome", "Welcome"]);
});

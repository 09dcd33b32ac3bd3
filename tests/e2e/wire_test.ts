// HTTP/1 as it is on the wire, in whatever pieces it travels: raw sockets on one
// side, `serve` on the other. What holds for all versions is in tests/wires.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { InvalidEventError, respond } from "../../mod.ts";
import { countApp, echoApp, http, pathApp } from "./_apps.ts";
import { post, readBodies, request } from "./_raw_client.ts";
import { netTest, pause, start } from "./_testing.ts";

// Requests.

netTest("a request that is sent one byte at a time is answered", async () => {
  await using server = start(echoApp);
  using client = await server.connect();
  for (const byte of post("/", "Hello", "te: trailers")) {
    await client.send(byte);
    await pause(0);
  }
  const { status, body } = await client.readResponse();
  assertEquals([status, body], [200, "Hello"]);
});

netTest("a chunked request one byte at a time is answered", async () => {
  await using server = start(countApp);
  using client = await server.connect();
  const head = request("POST", "/", "transfer-encoding: chunked");
  for (const byte of `${head}5\r\nHello\r\n1;a=b\r\n!\r\n0\r\nx: y\r\n\r\n`) {
    await client.send(byte);
    await pause(0);
  }
  assertEquals((await client.readResponse()).body, "6");
});

netTest("100 requests in one write are answered in order", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.send(paths(100).map((path) => request("GET", path)).join(""));
  assertEquals(await readBodies(client, 100), paths(100));
});

netTest(
  "100 requests with content in one write are answered in order",
  async () => {
    await using server = start(echoApp);
    using client = await server.connect();
    await client.send(paths(100).map((path) => post("/", path)).join(""));
    assertEquals(await readBodies(client, 100), paths(100));
  },
);

netTest("pipelined requests are handled one at a time", async () => {
  let running = 0;
  let most = 0;
  const app = http(async (scope, _receive, send) => {
    most = Math.max(most, ++running);
    await pause(1);
    running--;
    await respond(send, 200, { body: scope.path });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.send(paths(20).map((path) => request("GET", path)).join(""));
  assertEquals(await readBodies(client, 20), paths(20));
  assertEquals(most, 1);
});

netTest(
  "a response does not wait for the rest of a pipelined request",
  async () => {
    await using server = start(pathApp);
    using client = await server.connect();
    await client.send(request("GET", "/1") + "GET /2 HTTP/1.1\r\nho");
    assertEquals((await client.readResponse()).body, "/1");
    await client.send("st: test\r\n\r\n");
    assertEquals((await client.readResponse()).body, "/2");
  },
);

netTest(
  "a bad request after good ones is refused after their responses",
  async () => {
    await using server = start(pathApp);
    using client = await server.connect();
    const good = paths(3).map((path) => request("GET", path)).join("");
    await client.send(`${good}GET / HTTP/1.1\r\nbad field\r\n\r\n${good}`);
    assertEquals(await readBodies(client, 3), paths(3));
    const { status, headers } = await client.readResponse();
    assertEquals(status, 400);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
  },
);

netTest(
  "a client that has half-closed gets all pipelined responses",
  async () => {
    const app = http(async (scope, _receive, send) => {
      await pause(2);
      await respond(send, 200, { body: scope.path });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.send(paths(5).map((path) => request("GET", path)).join(""));
    await client.closeWrite();
    assertEquals(await readBodies(client, 5), paths(5));
    assertEquals(await client.readToEnd(), "");
  },
);

netTest(
  "a client that reads slowly loses nothing of its last response",
  async () => {
    const length = 4 * 1024 * 1024;
    const app = http(async (_scope, _receive, send) => {
      await respond(send, 200, { body: "x".repeat(length) });
    });
    await using server = start(app);
    for (let i = 0; i < 10; i++) {
      using client = await server.connect();
      await client.get("/", "connection: close");
      await pause(20);
      assertEquals((await client.readResponse()).body.length, length);
      assertEquals(await client.readToEnd(), "");
    }
  },
);

netTest("a shutdown amid pipelined requests loses no response", async () => {
  const answered = Promise.withResolvers<void>();
  const app = http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    if (scope.path === "/2") {
      await send({ type: "http.response.body", body: "be", more_body: true });
      answered.resolve();
      await pause(10);
    }
    await send({ type: "http.response.body", body: "gun" });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.send(paths(5).map((path) => request("GET", path)).join(""));
  await answered.promise;
  const stopped = server.server.shutdown({ timeout: Infinity });
  // Before the shutdown, no response had said that it would be the last.
  assertEquals(await readBodies(client, 3), ["gun", "gun", "begun"]);
  const last = await client.readResponse();
  assertEquals(last.body, "gun");
  assertEquals(last.headers.get("connection"), "close");
  assertEquals(await client.readToEnd(), "");
  client.close();
  await stopped;
});

// Responses.

netTest("a response without content-length is chunked", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "Hello", more_body: true });
    await send({ type: "http.response.body", body: "", more_body: true });
    await send({ type: "http.response.body", body: " there" });
  });
  await using server = start(app, { dateHeader: false, serverHeader: null });
  using client = await server.connect();
  await client.get("/", "connection: close");
  assertEquals(
    await client.readToEnd(),
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n" +
      "\r\n5\r\nHello\r\n6\r\n there\r\n0\r\n\r\n",
  );
});

netTest("content that nobody read is drained if it is small", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  const content = "GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n".repeat(500);
  await client.send(post("/1", content) + request("GET", "/2"));
  assertEquals(await readBodies(client, 2), ["/1", "/2"]);
});

netTest("content past drainBytes is never taken for a request", async () => {
  await using server = start(pathApp, { drainBytes: 1000 });
  using client = await server.connect();
  const content = "GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n".repeat(500);
  await client.send(post("/1", content) + request("GET", "/2"));
  assertEquals((await client.readResponse()).body, "/1");
  assertEquals(await client.readToEnd(), "");
});

const trailersApp = http(async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, trailers: true });
  await send({ type: "http.response.body", body: "data" });
  await send({
    type: "http.response.trailers",
    headers: [["x-sum", "1"]],
    more_trailers: true,
  });
  await send({ type: "http.response.trailers", headers: [["x-end", "2"]] });
});

netTest(
  "trailers are kept from a client that does not accept them",
  async () => {
    await using server = start(trailersApp);
    using client = await server.connect();
    await client.get("/");
    const { body, trailers } = await client.readResponse();
    assertEquals([body, trailers.size], ["data", 0]);
    await client.get("/");
    assertEquals((await client.readResponse()).body, "data");
  },
);

// HTTP/1.0.

netTest("HTTP/1.0: the connection closes after the response", async () => {
  await using server = start(echoApp);
  using client = await server.connect();
  await client.send("POST / HTTP/1.0\r\ncontent-length: 5\r\n\r\nHello");
  const { headers, body } = await client.readResponse();
  assertEquals(body, "Hello");
  assertEquals(headers.get("connection"), "close");
  assertEquals(headers.has("transfer-encoding"), false);
});

netTest("HTTP/1.0: keep-alive holds where the length is known", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  for (const path of ["/1", "/2"]) {
    await client.send(`GET ${path} HTTP/1.0\r\nconnection: keep-alive\r\n\r\n`);
    const { headers, body } = await client.readResponse();
    assertEquals(body, path);
    assertEquals(headers.get("connection"), "keep-alive");
  }
});

netTest("HTTP/1.0: no early hints are sent", async () => {
  const rejected = Promise.withResolvers<unknown>();
  const app = http(async (scope, _receive, send) => {
    assert(!("http.response.early_hint" in scope.extensions));
    await send({ type: "http.response.early_hint", links: ["</a>"] })
      .then(rejected.resolve, rejected.resolve);
    await respond(send, 200, { body: "page" });
  });
  await using server = start(app, { earlyHints: true });
  using client = await server.connect();
  await client.send("GET / HTTP/1.0\r\nhost: test\r\n\r\n");
  const { status, body } = await client.readResponse();
  assertEquals([status, body], [200, "page"]);
  assertInstanceOf(await rejected.promise, InvalidEventError);
});

/** The paths "/0", "/1", … */
function paths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/${index}`);
}

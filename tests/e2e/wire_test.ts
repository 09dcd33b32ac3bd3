// Requests and responses as they are on the wire, in whatever pieces they
// travel: raw sockets on one side, `serve` on the other.

import { assertEquals, assertMatch } from "@std/assert";
import { respond } from "../../mod.ts";
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

netTest("requests follow each other on one connection", async () => {
  await using server = start(echoApp);
  using client = await server.connect();
  for (const body of ["one", "", "three"]) {
    await client.send(post("/", body));
    const response = await client.readResponse();
    assertEquals(response.body, body);
    assertEquals(response.headers.has("connection"), false);
  }
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

netTest("a client that has half-closed gets its response", async () => {
  await using server = start(countApp);
  using client = await server.connect();
  await client.send(post("/", "Hello"));
  await client.closeWrite();
  assertEquals((await client.readResponse()).body, "5");
  assertEquals(await client.readToEnd(), "");
});

netTest(
  "a client that has half-closed gets all of a slow response",
  async () => {
    const app = http(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await receive();
      assertEquals((await receive()).type, "http.disconnect");
      for (const body of ["a", "b", "c"]) {
        await send({ type: "http.response.body", body, more_body: true });
        await pause(5);
      }
      await send({ type: "http.response.body" });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.get("/");
    await client.closeWrite();
    assertEquals((await client.readResponse()).body, "abc");
    assertEquals(await client.readToEnd(), "");
    assertEquals(server.errors, []);
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

netTest("a response to HEAD has the fields and no content", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.send(request("HEAD", "/head") + request("GET", "/get"));
  const { headers } = await client.readResponse({ method: "HEAD" });
  assertEquals(headers.get("content-length"), "5");
  assertEquals((await client.readResponse()).body, "/get");
});

netTest("a method in lowercase is what it is in uppercase", async () => {
  await using server = start(http(async (scope, _receive, send) => {
    await respond(send, 200, { headers: [["x-method", scope.method]] });
  }));
  using client = await server.connect();
  await client.send(request("head", "/") + request("get", "/"));
  for (const method of ["HEAD", "GET"]) {
    const { status, headers } = await client.readResponse({ method });
    assertEquals([status, headers.get("x-method")], [200, method]);
  }
});

for (const status of [204, 205, 304]) {
  netTest(`a ${status} has no content, whatever the app sends`, async () => {
    const app = http(async (scope, _receive, send) => {
      await respond(send, scope.path === "/1" ? status : 200, {
        headers: [["etag", '"x"']],
        body: "content",
      });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.send(request("GET", "/1") + request("GET", "/2"));
    const { headers } = await client.readResponse();
    assertEquals(headers.get("etag"), '"x"');
    assertEquals(headers.has("transfer-encoding"), false);
    assertEquals((await client.readResponse()).body, "content");
  });
}

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

netTest("a response says the date and the server", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/");
  const { headers } = await client.readResponse();
  assertMatch(headers.get("date") ?? "", /^\w{3}, \d\d \w{3} \d{4} .* GMT$/);
  assertEquals(headers.get("server"), "x-asgi");
});

netTest("content that an app sends waits for nothing", async () => {
  const read = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "first", more_body: true });
    await read.promise;
    await send({ type: "http.response.body", body: "second" });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.get("/");
  await client.readHead();
  assertEquals(await client.readChunk(), "first");
  read.resolve();
  assertEquals(await client.readChunk(), "second");
});

netTest("an app answers before it has read its request", async () => {
  await using server = start(echoApp);
  using client = await server.connect();
  await client.send(request("POST", "/", "content-length: 6"));
  for (const piece of ["abc", "def"]) {
    await client.send(piece);
    if (piece === "abc") await client.readHead();
    assertEquals(await client.readChunk(), piece);
  }
  assertEquals(await client.readChunk(), "");
});

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

/** The paths "/0", "/1", … */
function paths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/${index}`);
}

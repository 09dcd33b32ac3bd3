// Requests and responses as they are on the wire, in whatever pieces they
// travel: raw sockets on one side, `serve` on the other.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
} from "@std/assert";
import { InvalidEventError, respond } from "../../mod.ts";
import { countApp, echoApp, http, pathApp } from "./_apps.ts";
import { post, type RawClient, request } from "./_raw_client.ts";
import { netTest, pause, start, until } from "./_testing.ts";

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

// Interim responses.

netTest("a 100 is sent when the app asks for the content", async () => {
  const asked = Promise.withResolvers<void>();
  const app = http(async (scope, receive, send) => {
    await asked.promise;
    await countApp(scope, receive, send);
  });
  await using server = start(app);
  using client = await server.connect();
  await client.send(
    request("POST", "/", "content-length: 5", "expect: 100-continue"),
  );
  asked.resolve();
  assertEquals((await client.readHead()).status, 100);
  await client.send("Hello");
  assertEquals((await client.readResponse()).body, "5");
});

netTest(
  "no 100 is sent where the app does not ask for the content",
  async () => {
    const app = http(async (_scope, _receive, send) => {
      await respond(send, 401, { body: "no" });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.send(
      request("POST", "/", "content-length: 5", "expect: 100-continue"),
    );
    const { status, headers } = await client.readResponse();
    assertEquals(status, 401);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
  },
);

netTest("an expectation that is not known is refused with 417", async () => {
  await using server = start(countApp);
  using client = await server.connect();
  await client.get("/", "expect: miracles");
  assertEquals((await client.readResponse()).status, 417);
});

for (const [version, earlyHints] of [["1.1", false], ["1.0", true]] as const) {
  netTest(
    `no early hints go to HTTP/${version}, option ${earlyHints}`,
    async () => {
      const rejected = Promise.withResolvers<unknown>();
      const app = http(async (scope, _receive, send) => {
        assert(!("http.response.early_hint" in scope.extensions));
        await send({ type: "http.response.early_hint", links: ["</a>"] })
          .then(rejected.resolve, rejected.resolve);
        await respond(send, 200, { body: "page" });
      });
      await using server = start(app, { earlyHints });
      using client = await server.connect();
      await client.send(`GET / HTTP/${version}\r\nhost: test\r\n\r\n`);
      const { status, body } = await client.readResponse();
      assertEquals([status, body], [200, "page"]);
      assertInstanceOf(await rejected.promise, InvalidEventError);
    },
  );
}

netTest("early hints go out before the response", async () => {
  const hinted = Promise.withResolvers<void>();
  const app = http(async (scope, _receive, send) => {
    assert("http.response.early_hint" in scope.extensions);
    const links = ["</a.css>; rel=preload", "</b.js>; rel=preload"];
    await send({ type: "http.response.early_hint", links });
    await hinted.promise;
    await respond(send, 200, { body: "page" });
  });
  await using server = start(app, { earlyHints: true });
  using client = await server.connect();
  await client.get("/");
  const { status, headers } = await client.readHead();
  assertEquals(status, 103);
  assertEquals(
    headers.get("link"),
    "</a.css>; rel=preload, </b.js>; rel=preload",
  );
  hinted.resolve();
  assertEquals((await client.readResponse()).body, "page");
});

// Trailers.

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

netTest("trailers go to a client that accepts them", async () => {
  await using server = start(trailersApp);
  using client = await server.connect();
  await client.get("/", "te: trailers");
  const { body, trailers } = await client.readResponse();
  assertEquals(body, "data");
  assertEquals([...trailers], [["x-sum", "1"], ["x-end", "2"]]);
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

// Files.

netTest("pathsend sends a file", async () => {
  using file = new TemporaryFile(300_000);
  const app = http(async (_scope, _receive, send) => {
    await send({
      type: "http.response.start",
      status: 200,
      headers: [["content-length", String(file.content.length)]],
    });
    await send({ type: "http.response.pathsend", path: file.path });
  });
  await using server = start(app);
  using client = await server.connect();
  for (const _round of ["first", "second"]) {
    await client.get("/");
    const { body } = await client.readResponse();
    assert(body === file.content, "The content differs from the file");
  }
  // The client has all of the content before the app has seen the file's end.
  await server.server.shutdown();
}, { permissions: ["read", "write"] });

netTest("pathsend of a file that is not there becomes a 500", async () => {
  using file = new TemporaryFile(0);
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const path = `${file.path}.missing`;
    await send({ type: "http.response.pathsend", path });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.get("/");
  assertEquals((await client.readResponse()).status, 500);
  assertEquals(server.errors.length, 1);
}, { permissions: ["read", "write"] });

netTest(
  "zerocopysend sends pieces of a file between other content",
  async () => {
    using file = new TemporaryFile(200_000);
    const app = http(async (_scope, _receive, send) => {
      using opened = await Deno.open(file.path);
      const type = "http.response.zerocopysend";
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "<", more_body: true });
      await send({ type, file: opened, offset: 10, count: 5, more_body: true });
      await send({ type, file: opened, count: 100_000, more_body: true });
      await send({ type: "http.response.body", body: ">", more_body: true });
      await send({ type, file: opened, offset: 199_990 });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.get("/");
    const { content } = file;
    const expected = `<${content.slice(10, 100_015)}>${content.slice(199_990)}`;
    assert((await client.readResponse()).body === expected);
    assertEquals(server.errors, []);
  },
  { permissions: ["read", "write"] },
);

// Requests that are answered before they were sent.

/** Larger than what the server drains, and than what sockets buffer. */
const LARGE = 32 * 1024 * 1024;

for (
  const framing of [`content-length: ${LARGE}`, "transfer-encoding: chunked"]
) {
  netTest(
    `an early 401 reaches a client that sends on (${framing})`,
    async () => {
      const app = http(async (_scope, _receive, send) => {
        await respond(send, 401, { body: "Who is there?" });
      });
      await using server = start(app);
      using client = await server.connect();
      await client.send(request("POST", "/", framing));
      await sendLargeBody(client, framing);
      const { status, headers, body } = await client.readResponse();
      assertEquals([status, body], [401, "Who is there?"]);
      assertEquals(headers.get("connection"), "close");
      assertEquals(await client.readToEnd(), "");
    },
  );

  netTest(`a 413 reaches a client that sends on (${framing})`, async () => {
    await using server = start(countApp, { maxBodyBytes: 1_000_000 });
    using client = await server.connect();
    await client.send(request("POST", "/", framing));
    await sendLargeBody(client, framing);
    const { status, headers } = await client.readResponse();
    assertEquals(status, 413);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
  });
}

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

// Back pressure.

netTest("a client can't send more than the app takes", async () => {
  const gate = Promise.withResolvers<void>();
  const app = http(async (scope, receive, send) => {
    await gate.promise;
    await countApp(scope, receive, send);
  });
  await using server = start(app);
  using client = await server.connect();
  await client.send(request("POST", "/", `content-length: ${LARGE}`));
  let sent = 0;
  const sending = sendZeros(client, LARGE, (total) => sent = total);
  await untilStable(() => sent);
  assert(sent < LARGE, `All ${sent} bytes were taken`);
  gate.resolve();
  await sending;
  assertEquals((await client.readResponse()).body, String(LARGE));
});

netTest("an app can't send more than the client takes", async () => {
  let sent = 0;
  const app = http(async (_scope, _receive, send) => {
    const body = new Uint8Array(64 * 1024);
    await send({ type: "http.response.start", status: 200 });
    while (sent < LARGE) {
      await send({ type: "http.response.body", body, more_body: true });
      sent += body.length;
    }
    await send({ type: "http.response.body" });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.get("/");
  await untilStable(() => sent);
  assert(sent < LARGE, `All ${sent} bytes were sent`);
  await client.readHead();
  let read = 0;
  for (let chunk; (chunk = await client.readChunk()) !== "";) {
    read += chunk.length;
  }
  assertEquals(read, LARGE);
});

/** The paths "/0", "/1", … */
function paths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/${index}`);
}

async function readBodies(client: RawClient, count: number): Promise<string[]> {
  const bodies = [];
  for (let i = 0; i < count; i++) {
    bodies.push((await client.readResponse()).body);
  }
  return bodies;
}

/** Sends content until all is sent, or the server takes no more. */
async function sendLargeBody(client: RawClient, framing: string) {
  const piece = new Uint8Array(64 * 1024);
  const chunked = framing.includes("chunked");
  for (let sent = 0; sent < LARGE; sent += piece.length) {
    if (chunked) await client.send("10000\r\n", piece, "\r\n");
    else await client.send(piece);
  }
  if (chunked) await client.send("0\r\n\r\n");
}

async function sendZeros(
  client: RawClient,
  bytes: number,
  onSent: (total: number) => void,
): Promise<void> {
  const piece = new Uint8Array(64 * 1024);
  for (let sent = 0; sent < bytes;) {
    await client.send(piece);
    onSent(sent += piece.length);
  }
}

/** Waits until a number has grown, and grows no more. */
async function untilStable(read: () => number): Promise<void> {
  let last = 0;
  await until(async () => {
    const before = last;
    last = read();
    if (before > 0 && before === last) return true;
    await pause(100);
    return false;
  });
}

/** A file with content that repeats nowhere near by. */
class TemporaryFile implements Disposable {
  readonly content: string;
  readonly path: string;

  constructor(length: number) {
    let content = "";
    for (let i = 0; content.length < length; i++) content += `${i},`;
    this.content = content.slice(0, length);
    this.path = Deno.makeTempFileSync();
    Deno.writeTextFileSync(this.path, this.content);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

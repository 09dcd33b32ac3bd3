// Every example does what it says, as a user runs it, and Ctrl-C ends it with
// exit code 0. The commands in the first lines of an example work.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { timed } from "../examples/middleware.ts";
import { fromTransform, serve } from "../mod.ts";
import { Example, exampleTest } from "./_example.ts";
import type { Ended } from "./_process.ts";
import { WebSocketClient } from "./_web_socket_client.ts";
import { post, request } from "./e2e/_raw_client.ts";
import { connectAndReset } from "./e2e/_reset.ts";
import { bounded, granted, netTest } from "./e2e/_testing.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);

// The steps from a TCP server to an ASGI server.

exampleTest("tcp_echo.ts sends bytes back as they come", async () => {
  await using example = await Example.start("tcp_echo.ts");
  using client = await example.connect();
  await client.send("Hello\n");
  assertEquals(await client.readExactly(6), "Hello\n");
  await client.send("again\n");
  assertEquals(await client.readExactly(6), "again\n");
  assertClean(await example.interrupt());
});

exampleTest(
  "tcp_echo.ts sends all bytes back after a half close",
  async () => {
    await using example = await Example.start("tcp_echo.ts");
    using client = await example.connect();
    const bytes = "0123456789abcdef".repeat(1 << 16);
    const received = client.readToEnd();
    await client.send(bytes);
    await client.closeWrite();
    const text = await bounded(received, "the bytes");
    assert(text === bytes, `${text.length} of ${bytes.length} bytes came back`);
    assertClean(await example.interrupt());
  },
);

exampleTest("tcp_echo.ts outlives a client that resets", async () => {
  await using example = await Example.start("tcp_echo.ts");
  const resetting = await example.connect();
  await resetting.send("Hello".repeat(1000));
  await resetting.readOneByte();
  resetting.close(); // With bytes unread, which makes it a reset.
  using client = await example.connect();
  await client.send("x");
  assertEquals(await client.readExactly(1), "x");
  assertEquals((await example.interrupt()).code, 0);
});

for (const name of ["tcp_echo.ts", "http_parser.ts"]) {
  exampleTest(`${name} outlives clients that reset too early`, async () => {
    await using example = await Example.start(name);
    example.kill("SIGSTOP"); // It accepts them after they have reset.
    const { port } = new URL(example.url);
    for (let i = 0; i < 3; i++) await connectAndReset(Number(port));
    example.kill("SIGCONT");
    using client = await example.connect();
    await client.get("/");
    await bounded(client.readOneByte(), "a byte");
    assertEquals((await example.interrupt()).code, 0);
  });
}

exampleTest("http_parser.ts prints each request of a connection", async () => {
  await using example = await Example.start("http_parser.ts");
  using client = await example.connect();
  await client.send(post("/items?page=2", "Hello", "x-name: value"));
  assertEquals((await client.readResponse()).status, 204);
  await client.send(
    request("PUT", "/other", "transfer-encoding: chunked"),
    "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
  );
  assertEquals((await client.readResponse()).status, 204);
  const ended = await example.interrupt();
  assertClean(ended);
  for (
    const part of [
      /method: "POST"/,
      /path: "\/items"/,
      /query: "page=2"/,
      /\[ "x-name", "value" \]/,
      /body: "Hello"/,
      /method: "PUT"/,
      /path: "\/other"/,
      /body: "abcdef"/,
    ]
  ) assertMatch(ended.stdout, part);
});

exampleTest("http_parser.ts refuses what is no request", async () => {
  await using example = await Example.start("http_parser.ts");
  using client = await example.connect();
  await client.send("GET / HTTP/1.1\nhost: test\n\n");
  assertMatch(await client.readToEnd(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  const ended = await example.interrupt();
  assertEquals(ended.code, 0);
  assertMatch(ended.stderr, /Refused with 400: Cannot read line: bare LF/);
});

exampleTest("http_parser.ts lets a client go on that expects it", async () => {
  await using example = await Example.start("http_parser.ts");
  using client = await example.connect();
  const fields = ["content-length: 5", "expect: 100-continue"];
  await client.send(request("POST", "/", ...fields, "connection: close"));
  assertEquals((await client.readHead()).status, 100);
  await client.send("Hello");
  const { status, headers } = await client.readHead();
  assertEquals([status, headers.get("connection")], [204, "close"]);
  assertEquals(await client.readToEnd(), "");
  assertClean(await example.interrupt());
});

exampleTest("echo.ts answers any method on any path", async () => {
  await using example = await Example.start("echo.ts");
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    for (const path of ["", "a/b%20c?d=e", "caf%C3%A9"]) {
      const body = method === "GET" ? undefined : `${method} ${path}`;
      const response = await fetch(example.url + path, { method, body });
      assertEquals(response.status, 200);
      assertEquals(await response.text(), body ?? "");
    }
  }
  assertClean(await example.interrupt());
});

exampleTest("echo.ts answers before the request has ended", async () => {
  await using example = await Example.start("echo.ts");
  using client = await example.connect();
  await client.send(
    request("POST", "/", "transfer-encoding: chunked"),
    "5\r\nfirst\r\n",
  );
  assertEquals((await client.readHead()).status, 200);
  assertEquals(await client.readChunk(), "first");
  await client.send("6\r\nsecond\r\n");
  assertEquals(await client.readChunk(), "second");
  await client.send("0\r\n\r\n");
  assertEquals(await client.readChunk(), "");
  assertClean(await example.interrupt());
});

exampleTest("echo.ts answers HEAD without content", async () => {
  await using example = await Example.start("echo.ts");
  using client = await example.connect();
  await client.send(request("HEAD", "/"), post("/", "next"));
  const head = await client.readResponse({ method: "HEAD" });
  assertEquals([head.status, head.body], [200, ""]);
  assertEquals((await client.readResponse()).body, "next");
  assertClean(await example.interrupt());
});

exampleTest("echo.ts needs nothing from the network to run", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const env = {
      DENO_DIR: cache,
      JSR_URL: "http://127.0.0.1:1/",
      NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/",
    };
    await using example = await Example.start("echo.ts", { env });
    const response = await fetch(example.url, { method: "POST", body: "hi" });
    assertEquals(await response.text(), "hi");
    assertClean(await example.interrupt());
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

// What an application can do.

exampleTest("hello.ts greets with the path", async () => {
  await using example = await Example.start("hello.ts");
  const response = await fetch(`${example.url}w%C3%B6rld`);
  assertEquals(
    response.headers.get("content-type"),
    "text/plain; charset=utf-8",
  );
  assertEquals(await response.text(), "Hello from /wörld\n");
  assertClean(await example.interrupt());
});

exampleTest("download.ts sends as many MiB as it is asked for", async () => {
  await using example = await Example.start("download.ts");
  const response = await fetch(`${example.url}?3`);
  const length = 3 * 1024 * 1024;
  assertEquals(response.headers.get("content-length"), String(length));
  assertEquals((await response.bytes()).length, length);
  const refused = await fetch(`${example.url}?many`);
  assertEquals(refused.status, 400);
  assertMatch(await refused.text(), /How many/);
  assertClean(await example.interrupt());
});

exampleTest("download.ts stops quietly when the client leaves", async () => {
  await using example = await Example.start("download.ts");
  using client = await example.connect();
  await client.get("/?1024");
  await client.readHead();
  client.close();
  assertClean(await example.interrupt());
});

exampleTest("upload.ts counts the bytes that it is sent", async () => {
  await using example = await Example.start("upload.ts");
  const body = new Uint8Array(300_000);
  const whole = await fetch(example.url, { method: "POST", body });
  assertEquals(await whole.text(), "300000 bytes\n");
  const pieces = ReadableStream.from([body, body, body]);
  const streamed = await fetch(example.url, { method: "POST", body: pieces });
  assertEquals(await streamed.text(), "900000 bytes\n");
  assertClean(await example.interrupt());
});

exampleTest(
  "server_sent_events.ts says when a client has disconnected",
  async () => {
    await using example = await Example.start("server_sent_events.ts");
    const client = await example.connect();
    await client.get("/");
    const { headers } = await client.readHead();
    assertEquals(headers.get("content-type"), "text/event-stream");
    assertMatch(await client.readChunk(), /^id: 1\ndata: \d{4}-.*Z\n\n$/);
    assertMatch(await client.readChunk(), /^id: 2\ndata: \d{4}-.*Z\n\n$/);
    client.close();
    await example.printed(
      new RegExp(`Client .*:${client.port} has disconnected`),
    );
    assertClean(await example.interrupt());
  },
);

exampleTest(
  "server_sent_events.ts ends its streams when it is interrupted",
  async () => {
    await using example = await Example.start("server_sent_events.ts");
    using client = await example.connect();
    await client.get("/");
    await client.readHead();
    await client.readChunk();
    const ending = example.interrupt();
    let last = "";
    for (let chunk; (chunk = await client.readChunk()) !== "";) last = chunk;
    assertMatch(last, /^event: end\n/);
    client.close();
    assertClean(await ending);
  },
);

exampleTest("transform.ts turns text to upper case as it comes", async () => {
  await using example = await Example.start("transform.ts");
  using client = await example.connect();
  await client.send(request("POST", "/", "transfer-encoding: chunked"));
  // "ö" in two pieces: it comes out whole, with the second of them.
  await client.send("5\r\nab w", new Uint8Array([0xc3]), "\r\n");
  assertEquals((await client.readHead()).status, 200);
  assertEquals(await client.readChunk(), "AB W");
  await client.send("1\r\n", new Uint8Array([0xb6]), "\r\n0\r\n\r\n");
  assertEquals(await client.readChunk(), "\xc3\x96");
  assertEquals(await client.readChunk(), "");
  assertClean(await example.interrupt());
});

exampleTest("middleware.ts adds a header to the response", async () => {
  await using example = await Example.start("middleware.ts");
  const response = await fetch(example.url);
  const timing = response.headers.get("server-timing");
  assertMatch(timing ?? "none", /^app;dur=\d+\.\d$/);
  assertEquals(response.headers.get("content-length"), "6");
  assertEquals(await response.text(), "Hello\n");
  assertClean(await example.interrupt());
});

netTest("middleware.ts leaves send a stream as well", async () => {
  const echo = fromTransform(() =>
    new TransformStream({
      start(controller) {
        controller.enqueue({ type: "http.response.start", status: 200 });
      },
      transform(event, controller) {
        if (event.type !== "http.request") return;
        const { body, more_body } = event;
        controller.enqueue({ type: "http.response.body", body, more_body });
      },
    })
  );
  await using server = serve(timed(echo), { port: 0, log: () => {} });
  const response = await fetch(server.url, { method: "POST", body: "Hello" });
  assertMatch(response.headers.get("server-timing") ?? "none", /^app;dur=/);
  assertEquals(await response.text(), "Hello");
});

exampleTest(
  "behind_proxy.ts sees the client behind the proxy, and counts visits",
  async () => {
    await using example = await Example.start("behind_proxy.ts");
    const headers = {
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
    };
    const response = await fetch(example.url, { headers });
    const id = response.headers.get("x-request-id");
    assertEquals(
      await response.text(),
      `Hello 192.0.2.1, who came by https, request ${id}\n`,
    );
    for (const visit of [1, 2]) {
      const response = await fetch(`${example.url}visits`);
      assertEquals(await response.text(), `Visit ${visit} of /visits\n`);
    }
    const ended = await example.interrupt();
    assertClean(ended);
    assertMatch(ended.stdout, /There were 2 visits/);
  },
);

exampleTest("early_hints_and_trailers.ts sends both on HTTP/1.1", async () => {
  await using example = await Example.start("early_hints_and_trailers.ts");
  using client = await example.connect();
  await client.get("/", "te: trailers", "connection: te");
  const hints = await client.readHead();
  assertEquals(hints.status, 103);
  assertMatch(hints.headers.get("link") ?? "none", /rel=preload/);
  const { status, headers, body, trailers } = await client.readResponse();
  assertEquals([status, headers.get("trailer")], [200, "content-digest"]);
  assertEquals(trailers.get("content-digest"), await digestOf(body));
  assertClean(await example.interrupt());
});

exampleTest("early_hints_and_trailers.ts serves HTTP/1.0 as well", async () => {
  await using example = await Example.start("early_hints_and_trailers.ts");
  using client = await example.connect();
  await client.send("GET / HTTP/1.0\r\n\r\n");
  const text = await client.readToEnd();
  assertMatch(text, /^HTTP\/1\.1 200 OK\r\n/);
  assertMatch(text, /\r\n\r\n<!DOCTYPE html>\n<title>Hello<\/title>\n$/);
  client.close();
  assertClean(await example.interrupt());
});

exampleTest("fetch_handler.ts sends back what it is sent", async () => {
  await using example = await Example.start("fetch_handler.ts");
  using client = await example.connect();
  await client.send(
    request("POST", "/echo", "transfer-encoding: chunked"),
    "5\r\nfirst\r\n",
  );
  assertEquals((await client.readHead()).status, 200);
  assertEquals(await client.readChunk(), "first");
  await client.send("6\r\nsecond\r\n0\r\n\r\n");
  assertEquals(await client.readChunk(), "second");
  assertEquals(await client.readChunk(), "");
  const other = await fetch(`${example.url}other`);
  assertEquals([other.status, await other.text()], [
    404,
    "Try /echo or /countdown\n",
  ]);
  assertClean(await example.interrupt());
});

exampleTest("fetch_handler.ts counts until the client leaves", async () => {
  await using example = await Example.start("fetch_handler.ts");
  const client = await example.connect();
  await client.get("/countdown");
  await client.readHead();
  assertEquals(await client.readChunk(), "10\n");
  client.close();
  await example.printed(/Left at \d/);
  assertEquals((await example.interrupt()).code, 0);
});

exampleTest("deno_serve.ts greets on Deno's own server", async () => {
  await using example = await Example.start("deno_serve.ts");
  const response = await fetch(`${example.url}world`);
  assertEquals(await response.text(), "Hello from /world\n");
  const url = example.url.replace("http:", "ws:");
  await using socket = await WebSocketClient.open(url);
  socket.send("Hello");
  assertEquals(await socket.next(), "Hello");
  const ending = example.interrupt();
  // The application and the server both see to it, with a code of their own.
  const { code } = await socket.closed();
  assert(code === 1012 || code === 1001, `The close code is ${code}`);
  assertEquals((await ending).code, 0);
});

exampleTest("access_log.ts writes a line for each request", async () => {
  await using example = await Example.start("access_log.ts");
  const headers = { "user-agent": "test", referer: "http://example.com/" };
  for (const path of ["world?a=b", "missing"]) {
    const response = await fetch(example.url + path, { headers });
    await response.body?.cancel();
  }
  await example.printed(/ 404 /);
  const ended = await example.interrupt();
  assertClean(ended);
  const lines = ended.stdout.split("\n");
  const [day, clock] = [/\d\d\/[A-Z][a-z]{2}\/\d{4}/, /\d\d:\d\d:\d\d/];
  const time = `\\[${day.source}:${clock.source} \\+0000\\]`;
  const rest = '"http://example.com/" "test"';
  for (
    const [i, request] of [
      '"GET /world\\?a=b HTTP/1.1" 200 6',
      '"GET /missing HTTP/1.1" 404 -',
    ].entries()
  ) {
    const line = `^127.0.0.1 - - ${time} ${request} ${rest}$`;
    assertMatch(lines[i], new RegExp(line));
  }
  assertEquals(lines.slice(2), [""]);
});

// What all of them have in common.

exampleTest("an example says which port is taken, and fails", async () => {
  await using first = await Example.start("hello.ts");
  const { port } = new URL(first.url);
  await using second = Example.spawn("hello.ts", { env: { PORT: port } });
  const { code, stderr } = await second.end();
  assertEquals(code, 1);
  const message = `Cannot listen on 127.0.0.1:${port}: ` +
    "the address is already in use";
  assert(stderr.includes(message), stderr);
  assertClean(await first.interrupt());
});

Deno.test({
  name: "each example opens with the lines that run and ask it",
  ignore: !granted("read"),
  fn() {
    const names = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name)
      .filter((name) => name.endsWith(".ts") && !name.startsWith("_"));
    assert(names.includes("echo.ts"));
    for (const name of names) {
      const text = Deno.readTextFileSync(new URL(name, EXAMPLES));
      const [comment] = text.split("*/");
      const run = ` *     deno run -A examples/${name}\n`;
      assert(comment.includes(run), `${name} does not say how it is run`);
      const port = 'Number(Deno.env.get("PORT") || 8000)';
      assert(text.includes(port), `${name} does not read PORT as others do`);
    }
  },
});

/** Asserts that an example has ended by itself, and printed no errors. */
function assertClean({ code, stdout, stderr }: Ended): void {
  assertEquals(code, 0, stderr);
  assertEquals(/error/i.exec(stdout + stderr), null, stdout + stderr);
}

/** The value of a `content-digest` field (RFC 9530) for ASCII content. */
async function digestOf(content: string): Promise<string> {
  const bytes = new TextEncoder().encode(content);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha-256=:${digest.toBase64()}:`;
}

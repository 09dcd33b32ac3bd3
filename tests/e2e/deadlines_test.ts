// Every deadline, with a value so small that it passes within the test. What
// is asserted is that it passes, and what the client sees then; never when.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ClientDisconnected, respond } from "../../mod.ts";
import { countApp, http, pathApp } from "./_apps.ts";
import { post, type RawClient, request } from "./_raw_client.ts";
import { netTest, pause, start } from "./_testing.ts";

const SOON = 50;

netTest("a head byte by byte is cut at the deadline with a 408", async () => {
  await using server = start(pathApp, { headerTimeout: 4 * SOON });
  using client = await server.connect();
  await client.send("GET / HTTP/1.1\r\nx: ");
  const trickle = trickleInto(client, SOON / 5);
  assertEquals((await client.readResponse()).status, 408);
  client.close();
  await trickle;
});

netTest(
  "a client that sends nothing is closed at the deadline without a word",
  async () => {
    await using server = start(pathApp, { headerTimeout: SOON });
    using client = await server.connect();
    assertEquals(await client.readToEnd(), "");
    await server.server.shutdown({ timeout: Infinity });
  },
);

netTest("a later head has its deadline from its first byte", async () => {
  await using server = start(pathApp, { headerTimeout: 2 * SOON });
  using client = await server.connect();
  await client.get("/1");
  await client.readResponse();
  // The connection may be idle for longer than a head may take.
  await pause(4 * SOON);
  await client.get("/2");
  assertEquals((await client.readResponse()).body, "/2");
  await client.send("GET /3 HTTP/1.1\r\n");
  const { status, headers } = await client.readResponse();
  assertEquals(status, 408);
  assertEquals(headers.get("connection"), "close");
});

netTest(
  "the start of a head that came pipelined has its deadline",
  async () => {
    await using server = start(pathApp, { headerTimeout: SOON });
    using client = await server.connect();
    await client.send(request("GET", "/1") + "GET /2 HTTP/1.1\r\n");
    assertEquals((await client.readResponse()).body, "/1");
    assertEquals((await client.readResponse()).status, 408);
  },
);

netTest(
  "an idle connection is closed at its deadline without a word",
  async () => {
    await using server = start(pathApp, { keepAliveTimeout: SOON });
    using client = await server.connect();
    await client.get("/");
    await client.readResponse();
    assertEquals(await client.readToEnd(), "");
  },
);

netTest(
  "a request that has begun is not cut by the idle deadline",
  async () => {
    const app = http(async (scope, receive, send) => {
      await pause(3 * SOON);
      await countApp(scope, receive, send);
    });
    await using server = start(app, { keepAliveTimeout: SOON });
    using client = await server.connect();
    for (const _request of ["first", "second"]) {
      await client.send(
        "POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n",
      );
      await pause(3 * SOON);
      await client.send("\r\n!");
      await pause(3 * SOON);
      await client.send("!");
      assertEquals((await client.readResponse()).body, "2");
    }
  },
);

for (const framing of ["content-length: 10", "transfer-encoding: chunked"]) {
  netTest(`a body that stops is cut with a 408 (${framing})`, async () => {
    await using server = start(countApp, { bodyTimeout: SOON });
    using client = await server.connect();
    await client.send(request("POST", "/", framing) + "4\r\n1");
    const { status, headers } = await client.readResponse();
    assertEquals(status, 408);
    assertEquals(headers.get("connection"), "close");
    assertEquals(server.errors, []);
  });
}

netTest("a body that goes on slowly is not cut", async () => {
  await using server = start(countApp, { bodyTimeout: 10 * SOON });
  using client = await server.connect();
  await client.send(request("POST", "/", "content-length: 20"));
  for (let i = 0; i < 20; i++) {
    await client.send("!");
    await pause(SOON);
  }
  assertEquals((await client.readResponse()).body, "20");
});

netTest(
  "the body's deadline runs only while the app waits for it",
  async () => {
    const app = http(async (scope, receive, send) => {
      await pause(4 * SOON);
      await countApp(scope, receive, send);
    });
    await using server = start(app, { bodyTimeout: SOON });
    using client = await server.connect();
    await client.send(post("/", "Hello"));
    assertEquals((await client.readResponse()).body, "5");
  },
);

netTest(
  "a body that stops amid the response truncates the response",
  async () => {
    const app = http(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({
        type: "http.response.body",
        body: "begun",
        more_body: true,
      });
      while ((await receive()).type === "http.request");
      await send({ type: "http.response.body" });
    });
    await using server = start(app, { bodyTimeout: SOON });
    using client = await server.connect();
    await client.send(request("POST", "/", "content-length: 10") + "half");
    await client.readHead();
    assertEquals(await client.readChunk(), "begun");
    assertEquals(await client.readToEnd(), "");
  },
);

netTest(
  "a client that stops reading is cut at the write deadline",
  async () => {
    const outcome = Promise.withResolvers<unknown>();
    const app = http(async (_scope, _receive, send) => {
      const body = new Uint8Array(64 * 1024);
      try {
        await send({ type: "http.response.start", status: 200 });
        for (;;) {
          await send({ type: "http.response.body", body, more_body: true });
        }
      } catch (error) {
        outcome.resolve(error);
        throw error;
      }
    });
    await using server = start(app, { writeTimeout: SOON });
    using client = await server.connect();
    await client.get("/");
    assertInstanceOf(await outcome.promise, ClientDisconnected);
    assertEquals(server.errors, []);
    // What the system had taken may still come; the end of the chunks does not.
    const rest = await readAll(client);
    assert(!rest.endsWith("0\r\n\r\n"), "The response seems complete");
    await server.server.shutdown({ timeout: Infinity });
  },
);

netTest("a client that reads slowly is not cut", async () => {
  const body = new Uint8Array(8 * 1024 * 1024);
  const app = http((_scope, _receive, send) => respond(send, 200, { body }));
  await using server = start(app, { writeTimeout: 10 * SOON });
  using client = await server.connect();
  await client.get("/");
  const { headers } = await client.readHead();
  assertEquals(headers.get("content-length"), String(body.length));
  for (let read = 0; read < body.length; read += 1024 * 1024) {
    await client.readExactly(1024 * 1024);
    await pause(SOON);
  }
});

netTest(
  "a body that nobody reads is waited for no longer than drainTimeout",
  async () => {
    await using server = start(pathApp, { drainTimeout: SOON });
    using client = await server.connect();
    await client.send(request("POST", "/1", "content-length: 10") + "half");
    assertEquals((await client.readResponse()).body, "/1");
    assertEquals(await client.readToEnd(), "");
  },
);

netTest(
  "a client that never closes is waited for no longer than drainTimeout",
  async () => {
    await using server = start(pathApp, { drainTimeout: SOON });
    using client = await server.connect();
    await client.get("/", "connection: close");
    await client.readResponse();
    // The client keeps its side open, and sends on.
    const trickle = trickleInto(client, SOON / 5);
    await server.server.shutdown({ timeout: Infinity });
    client.close();
    await trickle;
  },
);

netTest("without deadlines, nothing is cut", async () => {
  await using server = start(countApp, {
    headerTimeout: Infinity,
    keepAliveTimeout: Infinity,
    bodyTimeout: Infinity,
    writeTimeout: Infinity,
    drainTimeout: Infinity,
  });
  using client = await server.connect();
  for (const _request of ["first", "second"]) {
    for (const piece of ["POST / HTTP/1.1\r\n", "host: test\r\n"]) {
      await client.send(piece);
      await pause(SOON);
    }
    await client.send("content-length: 1\r\n\r\n");
    await pause(SOON);
    await client.send("!");
    assertEquals((await client.readResponse()).body, "1");
  }
});

/** Sends a byte again and again, until the connection is closed. */
async function trickleInto(client: RawClient, ms: number): Promise<void> {
  try {
    for (;;) {
      await client.send("a");
      await pause(ms);
    }
  } catch {
    // The connection was closed.
  }
}

/** All that comes until the server closes, or resets. */
async function readAll(client: RawClient): Promise<string> {
  try {
    return await client.readToEnd();
  } catch {
    return "";
  }
}

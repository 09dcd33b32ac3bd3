// What goes out besides a response: interim responses, trailers, files.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { InvalidEventError, respond } from "../../mod.ts";
import { countApp, http } from "./_apps.ts";
import { request } from "./_raw_client.ts";
import { netTest, start } from "./_testing.ts";

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

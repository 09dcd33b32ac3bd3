// What goes out besides a response: interim responses, trailers, files.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { InvalidEventError, respond } from "../../mod.ts";
import { countApp, http } from "../e2e/_apps.ts";
import { start, wireTest } from "./_wires.ts";

// Interim responses.

wireTest("a 100 is sent when the app asks for the content", async (wire) => {
  const asked = Promise.withResolvers<void>();
  const app = http(async (scope, receive, send) => {
    await asked.promise;
    await countApp(scope, receive, send);
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  const exchange = await client.request({
    method: "POST",
    headers: [["expect", "100-continue"]],
    follows: 5,
  });
  asked.resolve();
  assertEquals((await exchange.head()).status, 100);
  await exchange.send("Hello");
  await exchange.end();
  assertEquals((await exchange.response()).content, "5");
});

wireTest(
  "no 100 is sent where the app does not ask for the content",
  async (wire) => {
    await using server = start(
      wire,
      http(async (_scope, _receive, send) => {
        await respond(send, 401, { body: "no" });
      }),
    );
    await using client = await wire.connect(server);
    const exchange = await client.request({
      method: "POST",
      headers: [["expect", "100-continue"]],
      follows: 5,
    });
    assertEquals((await exchange.head()).status, 401);
    assertEquals((await exchange.response()).content, "no");
  },
);

wireTest(
  "an expectation that is not known is refused with 417",
  async (wire) => {
    await using server = start(wire, countApp);
    await using client = await wire.connect(server);
    const headers = [["expect", "miracles"]] as const;
    assertEquals((await client.fetch({ headers })).status, 417);
  },
);

wireTest("no early hints are sent unless the option says so", async (wire) => {
  const rejected = Promise.withResolvers<unknown>();
  const app = http(async (scope, _receive, send) => {
    assert(!("http.response.early_hint" in scope.extensions));
    await send({ type: "http.response.early_hint", links: ["</a>"] })
      .then(rejected.resolve, rejected.resolve);
    await respond(send, 200, { body: "page" });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  assertEquals((await exchange.head()).status, 200);
  assertEquals((await exchange.response()).content, "page");
  assertInstanceOf(await rejected.promise, InvalidEventError);
});

wireTest("early hints go out before the response", async (wire) => {
  const hinted = Promise.withResolvers<void>();
  const app = http(async (scope, _receive, send) => {
    assert("http.response.early_hint" in scope.extensions);
    const links = ["</a.css>; rel=preload", "</b.js>; rel=preload"];
    await send({ type: "http.response.early_hint", links });
    await hinted.promise;
    await respond(send, 200, { body: "page" });
  });
  await using server = start(wire, app, { earlyHints: true });
  await using client = await wire.connect(server);
  const exchange = await client.request();
  const { status, headers } = await exchange.head();
  assertEquals(status, 103);
  assertEquals(
    headers.get("link"),
    "</a.css>; rel=preload, </b.js>; rel=preload",
  );
  hinted.resolve();
  assertEquals((await exchange.response()).content, "page");
});

// Trailers.

wireTest("trailers go to a client that accepts them", async (wire) => {
  await using server = start(
    wire,
    http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: true });
      await send({ type: "http.response.body", body: "data" });
      await send({
        type: "http.response.trailers",
        headers: [["x-sum", "1"]],
        more_trailers: true,
      });
      await send({ type: "http.response.trailers", headers: [["x-end", "2"]] });
    }),
  );
  await using client = await wire.connect(server);
  for (let round = 0; round < 2; round++) {
    const response = await client.fetch({ headers: [["te", "trailers"]] });
    assertEquals(response.content, "data");
    assertEquals([...response.trailers], [["x-sum", "1"], ["x-end", "2"]]);
  }
});

// Files.

wireTest("pathsend sends a file", async (wire) => {
  using file = new TemporaryFile(300_000);
  const app = http(async (_scope, _receive, send) => {
    await send({
      type: "http.response.start",
      status: 200,
      headers: [["content-length", String(file.content.length)]],
    });
    await send({ type: "http.response.pathsend", path: file.path });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  for (const _round of ["first", "second"]) {
    const { content } = await client.fetch();
    assert(content === file.content, "The content differs from the file");
  }
  client.close();
  // The client has all of the content before the app has seen the file's end.
  await server.server.shutdown();
}, { permissions: ["read", "write"] });

wireTest("pathsend of a file that is not there becomes a 500", async (wire) => {
  using file = new TemporaryFile(0);
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const path = `${file.path}.missing`;
    await send({ type: "http.response.pathsend", path });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  assertEquals((await client.fetch()).status, 500);
  assertEquals(server.errors.length, 1);
}, { permissions: ["read", "write"] });

wireTest(
  "zerocopysend sends pieces of a file between other content",
  async (wire) => {
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
    await using server = start(wire, app);
    await using client = await wire.connect(server);
    const { content } = file;
    const expected = `<${content.slice(10, 100_015)}>${content.slice(199_990)}`;
    assert((await client.fetch()).content === expected);
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

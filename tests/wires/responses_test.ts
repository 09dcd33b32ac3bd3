// Responses, from the events of an application to what its client gets.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { respond } from "../../mod.ts";
import { countApp, echoApp, http, pathApp } from "../e2e/_apps.ts";
import { pause } from "../e2e/_testing.ts";
import { start, wireTest } from "./_wires.ts";

wireTest("requests follow each other on one connection", async (wire) => {
  await using server = start(wire, echoApp);
  await using client = await wire.connect(server);
  for (const content of ["one", "", "three"]) {
    const response = await client.fetch({ method: "POST", content });
    assertEquals([response.status, response.content], [200, content]);
    assertEquals(response.headers.has("connection"), false);
  }
});

wireTest("a response to HEAD has the fields and no content", async (wire) => {
  await using server = start(wire, pathApp);
  await using client = await wire.connect(server);
  const head = await client.fetch({ method: "HEAD", path: "/head" });
  assertEquals([head.headers.get("content-length"), head.content], ["5", ""]);
  assertEquals((await client.fetch({ path: "/get" })).content, "/get");
});

wireTest("a response to HEAD may be streamed, into nothing", async (wire) => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (let i = 0; i < 100; i++) {
      const body = new Uint8Array(64 * 1024);
      await send({ type: "http.response.body", body, more_body: true });
    }
    await send({ type: "http.response.body" });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  for (let round = 0; round < 2; round++) {
    const { status, content } = await client.fetch({ method: "HEAD" });
    assertEquals([status, content], [200, ""]);
  }
});

for (const status of [204, 205, 304]) {
  wireTest(
    `a ${status} has no content, whatever the app sends`,
    async (wire) => {
      const app = http(async (scope, _receive, send) => {
        await respond(send, scope.path === "/1" ? status : 200, {
          headers: [["etag", '"x"']],
          body: "content",
        });
      });
      await using server = start(wire, app);
      await using client = await wire.connect(server);
      const { headers, content } = await client.fetch({ path: "/1" });
      assertEquals([headers.get("etag"), content], ['"x"', ""]);
      assertEquals(headers.has("transfer-encoding"), false);
      assertEquals((await client.fetch({ path: "/2" })).content, "content");
    },
  );
}

wireTest("a response says the date and the server", async (wire) => {
  await using server = start(wire, pathApp);
  await using client = await wire.connect(server);
  const { headers } = await client.fetch();
  assertMatch(headers.get("date") ?? "", /^\w{3}, \d\d \w{3} \d{4} .* GMT$/);
  assertEquals(headers.get("server"), "x-asgi");
});

wireTest("the app's own date and server are left as they are", async (wire) => {
  await using server = start(
    wire,
    http(async (_scope, _receive, send) => {
      await respond(send, 200, {
        headers: [["date", "today"], ["server", "s"]],
      });
    }),
  );
  await using client = await wire.connect(server);
  const { headers } = await client.fetch();
  assertEquals([headers.get("date"), headers.get("server")], ["today", "s"]);
});

wireTest("fields of a response keep their order, and repeat", async (wire) => {
  await using server = start(
    wire,
    http(async (_scope, _receive, send) => {
      await respond(send, 200, {
        headers: [["Set-Cookie", "a=1"], ["x-a", " padded\t"], [
          "set-cookie",
          "b=2",
        ]],
      });
    }),
  );
  await using client = await wire.connect(server);
  const { headers } = await client.fetch();
  assertEquals(headers.get("set-cookie"), "a=1, b=2");
  assertEquals(headers.get("x-a")?.trim(), "padded");
});

wireTest("an app cannot frame its response itself", async (wire) => {
  await using server = start(
    wire,
    http(async (_scope, _receive, send) => {
      await respond(send, 200, {
        headers: [["transfer-encoding", "chunked"], [
          "keep-alive",
          "timeout=5",
        ]],
        body: "plain",
      });
    }),
  );
  await using client = await wire.connect(server);
  for (let round = 0; round < 2; round++) {
    const { content, headers } = await client.fetch();
    assertEquals(content, "plain");
    if (wire.httpVersion === "2") assert(!headers.has("keep-alive"));
  }
});

wireTest("content that an app sends waits for nothing", async (wire) => {
  const read = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "first", more_body: true });
    await read.promise;
    await send({ type: "http.response.body", body: "second" });
  });
  await using server = start(wire, app);
  await using client = await wire.connect(server);
  const exchange = await client.request();
  assertEquals(await exchange.take(5), "first");
  read.resolve();
  assertEquals((await exchange.response()).content, "second");
});

wireTest("an app answers before it has read its request", async (wire) => {
  await using server = start(wire, echoApp);
  await using client = await wire.connect(server);
  const exchange = await client.request({ method: "POST", follows: 6 });
  for (const piece of ["abc", "def"]) {
    await exchange.send(piece);
    assertEquals(await exchange.take(3), piece);
  }
  await exchange.end();
  assertEquals((await exchange.response()).content, "");
});

wireTest("a client that has half-closed gets its response", async (wire) => {
  await using server = start(wire, countApp);
  await using client = await wire.connect(server);
  const exchange = await client.request({ method: "POST", content: "Hello" });
  await client.closeWrite();
  assertEquals((await exchange.response()).content, "5");
}, { on: ({ halfCloses }) => halfCloses });

wireTest(
  "a client that has half-closed gets all of a slow response",
  async (wire) => {
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
    await using server = start(wire, app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await client.closeWrite();
    assertEquals((await exchange.response()).content, "abc");
    assertEquals(server.errors, []);
  },
  { on: ({ halfCloses }) => halfCloses },
);

wireTest(
  "an event stream that uses server.shutdown ends cleanly",
  async (wire) => {
    const app = http(async (scope, _receive, send) => {
      const { signal } = scope.extensions["server.shutdown"]!;
      await send({ type: "http.response.start", status: 200 });
      await send({
        type: "http.response.body",
        body: "data: 1\n",
        more_body: true,
      });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await send({ type: "http.response.body", body: "data: bye\n" });
    });
    await using server = start(wire, app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    assertEquals(await exchange.take(8), "data: 1\n");
    const stopped = server.server.shutdown({ timeout: Infinity });
    assertEquals((await exchange.response()).content, "data: bye\n");
    client.close();
    await stopped;
    assertEquals(server.errors, []);
  },
);

// Each request, whatever becomes of it and by whatever version of HTTP it came,
// leaves one access record, when its response is complete or cut short; and the
// record says what the client saw.

import { assert, assertEquals } from "@std/assert";
import { type AsgiApp, respond } from "../../mod.ts";
import type { outcome } from "../e2e/_access_records.ts";
import { echoApp, http, pathApp } from "../e2e/_apps.ts";
import { until } from "../e2e/_testing.ts";
import { closeFrame } from "../websocket/_frames.ts";
import { disconnectTest, startRecorded, wireTest } from "./_wires.ts";

/** Begins a response, and lets the test say how it goes on. */
function begun(then: () => Promise<void> | void): AsgiApp {
  return http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "begun", more_body: true });
    await then();
  });
}

wireTest(
  "A record holds the request as it came, and its times",
  async (wire) => {
    await using server = startRecorded(wire, pathApp);
    await using client = await wire.connect(server);
    const before = Date.now();
    const { status } = await client.fetch({
      path: "/caf%C3%A9?a=%20",
      headers: [["x-name", "one"], ["x-name", "\x7e"]],
    });
    assertEquals(status, 200);
    await server.end();
    const [{ time, duration, ...record }] = server.access;
    assertEquals(record, {
      type: "http",
      client: ["127.0.0.1", client.port],
      scheme: wire.scheme,
      httpVersion: wire.httpVersion,
      method: "GET",
      target: "/caf%C3%A9?a=%20",
      headers: [["host", "test"], ["x-name", "one"], ["x-name", "~"]],
      status: 200,
      bytesSent: 6,
      aborted: false,
    });
    assert(before <= time && time <= Date.now(), `${time}`);
    assert(duration >= 0 && duration <= Date.now() - before + 1, `${duration}`);
  },
);

wireTest("A response to HEAD is recorded with no bytes", async (wire) => {
  await using server = startRecorded(wire, pathApp);
  await using client = await wire.connect(server);
  await client.fetch({ method: "HEAD", path: "/long" });
  assertEquals(await server.end(), [{
    method: "HEAD",
    target: "/long",
    status: 200,
    bytesSent: 0,
    aborted: false,
  }]);
});

wireTest(
  "The content of a streamed response is counted without its framing",
  async (wire) => {
    await using server = startRecorded(wire, echoApp);
    await using client = await wire.connect(server);
    const exchange = await client.request({
      method: "POST",
      follows: "unknown",
    });
    for (const piece of ["first", "second"]) await exchange.send(piece);
    await exchange.end();
    assertEquals((await exchange.response()).content, "firstsecond");
    assertEquals(await server.end(), [{
      method: "POST",
      target: "/",
      status: 200,
      bytesSent: 11,
      aborted: false,
    }]);
  },
);

wireTest(
  "A response is recorded when it is complete, not before or when the app returns",
  async (wire) => {
    const sendRest = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const app = http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "one", more_body: true });
      await sendRest.promise;
      await send({ type: "http.response.body", body: "two" });
      await goOn.promise;
    });
    await using server = startRecorded(wire, app);
    await using client = await wire.connect(server);
    try {
      const exchange = await client.request();
      assertEquals(await exchange.take(3), "one");
      assertEquals(server.access, []);
      sendRest.resolve();
      assertEquals(await exchange.take(3), "two");
      await until(() => server.access.length > 0);
      assertEquals(server.access[0].bytesSent, 6);
    } finally {
      sendRest.resolve();
      goOn.resolve();
    }
    assertEquals((await server.end()).length, 1);
  },
);

wireTest(
  "An app that throws before it has begun is recorded with its 500",
  async (wire) => {
    await using server = startRecorded(
      wire,
      http(() => {
        throw new Error("Thrown by the test");
      }),
    );
    await using client = await wire.connect(server);
    const { status, content } = await client.fetch();
    assertEquals(status, 500);
    assertEquals(await server.end(), [{
      method: "GET",
      target: "/",
      status: 500,
      bytesSent: content.length,
      aborted: false,
    }]);
  },
);

wireTest(
  "An app that throws amid its response is recorded as aborted",
  async (wire) => {
    await using server = startRecorded(
      wire,
      begun(() => {
        throw new Error("Thrown by the test");
      }),
    );
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await exchange.response().catch(() => {});
    await until(() => server.access.length > 0);
    assertEquals(await server.end(), [cut(5)]);
  },
);

disconnectTest("A download is recorded as aborted", async (wire, leave) => {
  const body = new Uint8Array(64 * 1024);
  await using server = startRecorded(
    wire,
    http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      for (;;) {
        await send({ type: "http.response.body", body, more_body: true });
      }
    }),
  );
  await using _gone = await leave(server);
  await until(() => server.access.length > 0);
  const [{ bytesSent, ...record }] = await server.end();
  assertEquals({ ...record, bytesSent: 1 }, cut(1));
  assert(bytesSent! > 0);
});

wireTest(
  "A client that leaves before it is answered is recorded as aborted",
  async (wire) => {
    const entered = Promise.withResolvers<void>();
    const app = http(async (_scope, receive) => {
      entered.resolve();
      while ((await receive()).type !== "http.disconnect");
    });
    await using server = startRecorded(wire, app);
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await entered.promise;
    exchange.leave();
    await until(() => server.access.length > 0);
    assertEquals((await server.end()).map(({ aborted }) => aborted), [true]);
  },
);

wireTest(
  "A response that a shutdown cuts is recorded as aborted",
  async (wire) => {
    const never = Promise.withResolvers<void>();
    await using server = startRecorded(wire, begun(() => never.promise));
    await using client = await wire.connect(server);
    const exchange = await client.request();
    await exchange.take(5);
    const records = await server.end();
    never.resolve();
    assertEquals(records, [cut(5)]);
  },
);

wireTest(
  "A request that is one too many is recorded with its 503",
  async (wire) => {
    const answer = Promise.withResolvers<void>();
    const app = http(async (_scope, _receive, send) => {
      await answer.promise;
      await respond(send, 200);
    });
    await using server = startRecorded(wire, app, { maxConcurrentRequests: 1 });
    await using first = await wire.connect(server);
    await using second = await wire.connect(server);
    const fetched = [first.fetch(), second.fetch()];
    await until(() => server.access.length === 1);
    assertEquals(server.access[0].status, 503);
    answer.resolve();
    await Promise.all(fetched);
    assertEquals((await server.end()).map(({ status }) => status), [503, 200]);
  },
);

// WebSockets.

const greeting: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new TypeError(`No ${scope.type} here`);
  if (scope.path === "/denied") return await send({ type: "websocket.close" });
  await send({ type: "websocket.accept" });
  await send({ type: "websocket.send", text: "Hello" });
  if (scope.path === "/closing") return await send({ type: "websocket.close" });
  while ((await receive()).type !== "websocket.disconnect");
};

wireTest("A WebSocket is recorded once, when it is over", async (wire) => {
  await using server = startRecorded(wire, greeting);
  await using client = await wire.connect(server);
  const socket = await (await client.webSocket({ path: "/chat" })).opened();
  assertEquals(await socket.next(), "text Hello");
  assertEquals(server.access, []);
  await socket.send(closeFrame(1000));
  assertEquals(await socket.rest(), ["close 1000"]);
  await until(() => server.access.length > 0);
  const records = await server.end();
  assertEquals(server.access[0].type, "websocket");
  // The greeting and the close, with two bytes of framing each.
  assertEquals(records, [{
    method: wire.handshakeMethod,
    target: "/chat",
    status: wire.acceptStatus,
    bytesSent: 2 + 5 + 2 + 2,
    aborted: false,
  }]);
});

wireTest(
  "A WebSocket that the app closes is recorded as whole",
  async (wire) => {
    await using server = startRecorded(wire, greeting);
    await using client = await wire.connect(server);
    const socket = await (await client.webSocket({ path: "/closing" }))
      .opened();
    assertEquals(await socket.next(), "text Hello");
    assertEquals(await socket.next(), "close 1000");
    await socket.send(closeFrame(1000));
    assertEquals(await socket.rest(), []);
    await until(() => server.access.length > 0);
    const records = await server.end();
    assertEquals(records.map(({ status, aborted }) => [status, aborted]), [
      [wire.acceptStatus, false],
    ]);
  },
);

wireTest(
  "A WebSocket whose client vanishes is recorded as aborted",
  async (wire) => {
    await using server = startRecorded(wire, greeting);
    await using client = await wire.connect(server);
    const socket = await (await client.webSocket()).opened();
    assertEquals(await socket.next(), "text Hello");
    socket.leave();
    await until(() => server.access.length > 0);
    const records = await server.end();
    assertEquals(records.map(({ status, aborted }) => [status, aborted]), [
      [wire.acceptStatus, true],
    ]);
  },
);

wireTest(
  "A WebSocket that is denied is recorded with its status",
  async (wire) => {
    await using server = startRecorded(wire, greeting);
    await using client = await wire.connect(server);
    const socket = await client.webSocket({ path: "/denied" });
    assertEquals((await socket.response()).status, 403);
    await server.end();
    const [{ type, status, aborted }] = server.access;
    assertEquals([type, status, aborted], ["websocket", 403, false]);
  },
);

/** The record of a response that was cut after so many bytes. */
function cut(bytesSent: number): ReturnType<typeof outcome> {
  const target = "/";
  return { method: "GET", target, status: 200, bytesSent, aborted: true };
}

// WebSockets by the test client: how they open, or are denied, what passes, and
// how either side ends them.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type AsgiApp,
  ClientDisconnected,
  type WebSocketEvent,
  type WebSocketScope,
} from "../../mod.ts";
import {
  TestClient,
  WebSocketClosedError,
  WebSocketDeniedError,
} from "../../src/testing/mod.ts";
import { clientTest, webSocket } from "./_apps.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

/** Accepts, and sends every message back. */
const echo = webSocket(async (_scope, receive, send) => {
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  }
});

/** Accepts, and reports how it was disconnected. */
function listening(
  onDisconnect: (event: WebSocketEvent) => void,
  messages: unknown[] = [],
): AsgiApp {
  return webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for await (const event of receive) {
      if (event.type === "websocket.disconnect") onDisconnect(event);
      else if (event.type === "websocket.receive") messages.push(event.text);
    }
  });
}

clientTest("websocket gives the scope that a server would give", async () => {
  let seen: WebSocketScope | undefined;
  const app = webSocket(async (scope, receive, send) => {
    seen = scope;
    await receive();
    await send({
      type: "websocket.accept",
      subprotocol: "b",
      headers: [["x-a", "1"]],
    });
  });
  await using client = await TestClient.start(app, { scheme: "https" });
  const socket = await client.websocket("/chat?a", {
    subprotocols: ["a", "b"],
    headers: { origin: "https://a" },
  });
  assertEquals(socket.subprotocol, "b");
  assertEquals([...socket.headers], [["x-a", "1"]]);
  const { extensions, headers, ...rest } = seen!;
  assertEquals(rest, {
    type: "websocket",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    scheme: "wss",
    path: "/chat",
    raw_path: "/chat",
    query_string: "a",
    root_path: "",
    client: ["127.0.0.1", 50_000],
    server: ["localhost", 443],
    subprotocols: ["a", "b"],
  });
  assertEquals(headers.slice(0, 2), [
    ["host", "localhost"],
    ["origin", "https://a"],
  ]);
  assertEquals(new Map(headers).get("sec-websocket-protocol"), "a, b");
  assertEquals(Object.keys(extensions).sort(), [
    "server.shutdown",
    "websocket.http.response",
  ]);
});

clientTest("websocket takes URLs, and refuses what is none", async () => {
  await using client = await TestClient.start(echo);
  await using socket = await client.websocket("wss://example.com/a");
  await socket.send("a");
  assertEquals(await socket.receive(), "a");
  for (
    const [target, init, message] of [
      ["a", {}, "neither a path nor a URL"],
      ["/", { subprotocols: ["a", "a"] }, "no different tokens"],
      ["/", { subprotocols: ["a b"] }, "no different tokens"],
      ["/", { httpVersion: "1.0" }, "HTTP/1.0 carries none"],
    ] as const
  ) {
    await assertRejects(
      () => client.websocket(target, init),
      TypeError,
      message,
    );
  }
});

clientTest("messages go both ways, text as text, bytes as bytes", async () => {
  await using client = await TestClient.start(echo);
  await using socket = await client.websocket("/");
  const messages = ["Hello", "", new Uint8Array([0, 255]), new Uint8Array()];
  for (const message of messages) await socket.send(message);
  for (const message of messages) assertEquals(await socket.receive(), message);
});

clientTest("iterating gives the messages up to the close", async () => {
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (const text of ["a", "b"]) await send({ type: "websocket.send", text });
    await send({ type: "websocket.close", code: 4000, reason: "enough" });
    assertEquals(await receive(), {
      type: "websocket.disconnect",
      code: 4000,
      reason: "enough",
    });
  });
  await using client = await TestClient.start(app);
  const socket = await client.websocket("/");
  assertEquals(await Array.fromAsync(socket), ["a", "b"]);
  assertEquals(await socket.closed, { code: 4000, reason: "enough" });
  const error = await assertRejects(
    () => socket.receive(),
    WebSocketClosedError,
  );
  assertEquals([error.code, error.reason], [4000, "enough"]);
  await assertRejects(() => socket.send("c"), Error, "is closed");
});

clientTest("the application gets the client's close", async () => {
  const events: WebSocketEvent[] = [];
  const app = listening((event) => events.push(event));
  await using client = await TestClient.start(app);
  const first = await client.websocket("/");
  assertEquals(await first.close(4001, "bye"), { code: 4001, reason: "bye" });
  const second = await client.websocket("/");
  assertEquals(await second.close(), { code: 1005, reason: "" });
  const type = "websocket.disconnect";
  assertEquals(events, [
    { type, code: 4001, reason: "bye" },
    { type, code: 1005, reason: "" },
  ]);
  const third = await client.websocket("/");
  for (const code of [999, 1004, 1005, 1006, 1015, 2999, 5000, 1.5]) {
    assertThrows(
      () => third.close(code),
      RangeError,
      `no client sends ${code}`,
    );
  }
});

clientTest("messages before a close or a loss still arrive", async () => {
  for (const how of ["close", "disconnect"] as const) {
    const ended = Promise.withResolvers<WebSocketEvent>();
    const messages: unknown[] = [];
    const app = listening(ended.resolve, messages);
    await using client = await TestClient.start(app);
    const socket = await client.websocket("/");
    for (const text of ["a", "b"]) await socket.send(text);
    unawaited(socket[how]());
    await ended.promise;
    assertEquals(messages, ["a", "b"]);
  }
});

clientTest("a client that is lost gives 1006, and sends reject", async () => {
  const ended = Promise.withResolvers<[WebSocketEvent, unknown]>();
  const app = listening(() => {});
  const sending = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    const event = await receive();
    const failed = send({ type: "websocket.send", text: "a" });
    const error = await failed.catch((error) => error);
    ended.resolve([event as WebSocketEvent, error]);
  });
  await using client = await TestClient.start(sending);
  const socket = await client.websocket("/");
  socket.disconnect();
  assertEquals(await socket.closed, { code: 1006, reason: "" });
  const [event, error] = await ended.promise;
  assertEquals(event, { type: "websocket.disconnect", code: 1006, reason: "" });
  assert(error instanceof ClientDisconnected);
  await using other = await TestClient.start(app);
  (await other.websocket("/")).disconnect();
});

clientTest(
  "either side is held up by what the other does not take",
  async () => {
    const go = Promise.withResolvers<void>();
    let sent = 0;
    const text = "x".repeat(16 * 1024);
    const app = webSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      for (; sent < 20; sent++) await send({ type: "websocket.send", text });
      await go.promise;
      await receive();
      while ((await receive()).type !== "websocket.disconnect");
    });
    await using client = await TestClient.start(app);
    await using socket = await client.websocket("/");
    await settled();
    // Four are on their way to the client, two held; the next waits for room.
    assertEquals(sent, 6);
    for (let i = 0; i < 20; i++) assertEquals(await socket.receive(), text);
    let held = true;
    const bytes = new Uint8Array(16 * 1024);
    for (let i = 0; i < 3; i++) await socket.send(bytes);
    const fourth = socket.send(bytes).then(() => held = false);
    await settled();
    assert(held, "more was taken than 64 KiB");
    go.resolve();
    await fourth;
  },
);

clientTest("a WebSocket that is lost releases those who wait", async () => {
  const over = Promise.withResolvers<unknown>();
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    const bytes = new Uint8Array(100_000);
    await send({ type: "websocket.send", bytes }).catch(over.resolve);
  });
  await using client = await TestClient.start(app);
  const socket = await client.websocket("/");
  const waiting = socket.send(new Uint8Array(100_000));
  await settled();
  socket.disconnect();
  await assertRejects(() => waiting, Error, "has ended");
  assert(await over.promise instanceof ClientDisconnected);
});

clientTest("one who has closed holds up no one who sends", async () => {
  const text = "x".repeat(16 * 1024);
  const ended = Promise.withResolvers<WebSocketEvent>();
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (let i = 0; i < 10; i++) await send({ type: "websocket.send", text });
    ended.resolve(await receive() as WebSocketEvent);
  });
  await using client = await TestClient.start(app);
  const socket = await client.websocket("/");
  await settled();
  await socket.close(4000);
  const type = "websocket.disconnect";
  assertEquals(await ended.promise, { type, code: 4000, reason: "" });
});

clientTest("close ends one who only sends", async () => {
  const ended = Promise.withResolvers<unknown>();
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    try {
      for (;;) await send({ type: "websocket.send", text: "more" });
    } catch (error) {
      ended.resolve(error);
      throw error;
    }
  });
  await using client = await TestClient.start(app);
  const socket = await client.websocket("/");
  assertEquals(await socket.receive(), "more");
  assertEquals(await socket.close(1000), { code: 1000, reason: "" });
  assert(await ended.promise instanceof ClientDisconnected);
  assertEquals(client.errors, []);
});

// Denials, and failures.

clientTest(
  "a denial is seen with its status, headers and content",
  async () => {
    const app = webSocket(async (_scope, receive, send) => {
      await receive();
      await send({
        type: "websocket.http.response.start",
        status: 401,
        headers: [["www-authenticate", "Bearer"]],
      });
      for (const body of ["a", "b"]) {
        const more_body = body === "a";
        await send({ type: "websocket.http.response.body", body, more_body });
      }
    });
    await using client = await TestClient.start(app);
    const { response } = await assertRejects(
      () => client.websocket("/"),
      WebSocketDeniedError,
      "denied with status 401",
    );
    assertEquals(response.status, 401);
    assertEquals(response.headers.get("www-authenticate"), "Bearer");
    assertEquals(await response.text(), "ab");
  },
);

clientTest("a close in place of an accept is a 403", async () => {
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.close" });
  });
  await using client = await TestClient.start(app);
  const { response } = await assertRejects(
    () => client.websocket("/"),
    WebSocketDeniedError,
  );
  assertEquals([response.status, await response.text()], [403, "Forbidden\n"]);
});

clientTest("what fails before the accept is thrown, or a 500", async () => {
  const app = webSocket(() => {
    throw new RangeError("broken");
  });
  await using client = await TestClient.start(app);
  await assertRejects(() => client.websocket("/"), RangeError, "broken");
  const raiseAppErrors = false;
  await using other = await TestClient.start(app, { raiseAppErrors });
  const { response } = await assertRejects(
    () => other.websocket("/"),
    WebSocketDeniedError,
  );
  assertEquals(response.status, 500);
});

clientTest("what fails after the accept is thrown, or a 1011", async () => {
  const app = webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: "last" });
    throw new RangeError("broken");
  });
  await using client = await TestClient.start(app);
  const socket = await client.websocket("/");
  assertEquals(await socket.receive(), "last");
  await assertRejects(() => socket.receive(), RangeError, "broken");
  const iterated = await client.websocket("/");
  await assertRejects(() => Array.fromAsync(iterated), RangeError, "broken");
  const raiseAppErrors = false;
  await using other = await TestClient.start(app, { raiseAppErrors });
  const closed = await other.websocket("/");
  assertEquals(await Array.fromAsync(closed), ["last"]);
  assertEquals((await closed.closed).code, 1011);
  const unread = await TestClient.start(app);
  await unread.websocket("/");
  await settled();
  await assertRejects(() => unread.shutdown(), RangeError, "broken");
});

clientTest("a client can leave before it is accepted", async () => {
  const ended = Promise.withResolvers<unknown>();
  const app = webSocket(async (_scope, receive) => {
    await receive();
    ended.resolve(await receive());
  });
  await using client = await TestClient.start(app);
  const controller = new AbortController();
  const opening = client.websocket("/", { signal: controller.signal });
  await settled();
  controller.abort(new Error("enough"));
  await assertRejects(() => opening, Error, "enough");
  assertEquals(await ended.promise, {
    type: "websocket.disconnect",
    code: 1006,
    reason: "",
  });
});

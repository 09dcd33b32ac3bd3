// WebSockets in the streams of an HTTP/2 connection (RFC 8441), on sockets.

import { assert, assertEquals } from "@std/assert";
import {
  type AccessRecord,
  type AsgiApp,
  type ReceiveEvent,
  respond,
  type ServeOptions,
  type WebSocketScope,
} from "../../mod.ts";
import { Metrics } from "../../src/metrics/mod.ts";
import { bytes } from "../_feeding.ts";
import type { ClientRequest } from "../http2/_client.ts";
import type { ClientStream } from "../http2/_client_stream.ts";
import { SocketClient } from "../http2/_sockets.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  serverFrames,
  TEXT,
} from "../websocket/_frames.ts";
import { netTest, start, type TestServer, until } from "./_testing.ts";
import { ONE, tlsTest } from "./_tls.ts";

const VERSION = ["sec-websocket-version", "13"] as const;

/** A handshake that is in order. */
const CONNECT: ClientRequest = {
  method: "CONNECT",
  protocol: "websocket",
  path: "/chat?a=b",
  headers: [VERSION],
};

/** Sends every text back, and keeps what it is called with. */
class Echo {
  readonly scopes: WebSocketScope[] = [];
  readonly ends: ReceiveEvent[] = [];

  readonly app: AsgiApp = async (scope, receive, send) => {
    if (scope.type === "http") return await respond(send, 200, { body: "ok" });
    if (scope.type !== "websocket") throw new TypeError("Unknown scope");
    this.scopes.push(scope);
    await receive();
    if (scope.path === "/deny") return await send({ type: "websocket.close" });
    const [subprotocol = null] = scope.subprotocols;
    await send({ type: "websocket.accept", subprotocol });
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") {
        this.ends.push(event);
        return;
      }
      await send({ type: "websocket.send", text: event.text ?? "" });
    }
  };
}

/** A server of echoes, with what it has recorded. */
function startEcho(options: ServeOptions = {}) {
  const echo = new Echo();
  const metrics = new Metrics();
  const records: AccessRecord[] = [];
  const server = start(echo.app, {
    metrics,
    accessLog: (record) => void records.push(record),
    ...options,
  });
  return Object.assign(server, {
    echo,
    counts: metrics.counts,
    access: records,
  });
}

/** Opens a WebSocket in a stream. */
async function open(
  client: SocketClient,
  request: ClientRequest = {},
): Promise<ClientStream> {
  const stream = client.open({ ...CONNECT, ...request }, false);
  return await stream.head();
}

/** The texts and close codes that have come, once there are so many frames. */
async function frames(stream: ClientStream, count: number): Promise<string[]> {
  const all = () => serverFrames(bytes(stream.content));
  await stream.until(() => all().length >= count);
  return all().map(({ opcode, payload }) =>
    opcode === TEXT
      ? new TextDecoder().decode(payload)
      : `close ${payload[0] << 8 | payload[1]}`
  );
}

netTest("WebSockets and requests share one connection", async () => {
  await using server = startEcho();
  const { echo, counts } = server;
  await using client = await SocketClient.connect(server.port);
  const one = await open(client);
  const two = await open(client, {
    headers: [VERSION, ["sec-websocket-protocol", "x, y"]],
  });
  assertEquals([one.status, two.status], [200, 200]);
  assertEquals(one.header("sec-websocket-accept"), undefined);
  assertEquals(two.header("sec-websocket-protocol"), "x");
  await until(() => counts.webSocketsOpen === 2);
  assertEquals((await client.request()).content, "ok");
  assertEquals([counts.connectionsOpen, counts.http2StreamsOpen], [1, 2]);
  await one.send(clientFrame(TEXT, "one"));
  await two.send(clientFrame(TEXT, "two"));
  assertEquals(await frames(one, 1), ["one"]);
  assertEquals(await frames(two, 1), ["two"]);
  const [scope] = echo.scopes;
  assertEquals(scope.http_version, "2");
  assertEquals([scope.scheme, scope.path], ["ws", "/chat"]);
  assertEquals(scope.query_string, "a=b");
  assertEquals(scope.headers, [["host", "test"], [...VERSION]]);
  assert(!("method" in scope));
});

tlsTest("over TLS, a WebSocket in a stream has the scheme wss", async (way) => {
  const tls = { ...ONE, noDelay: way.noDelay };
  await using server = startEcho({ tls });
  await using client = await SocketClient.connectTls(server.port, ONE.cert);
  const stream = await open(client, { scheme: "https" });
  assertEquals(server.echo.scopes[0].scheme, "wss");
  await stream.send(clientFrame(TEXT, "secret"));
  assertEquals(await frames(stream, 1), ["secret"]);
});

netTest(
  "A close ends both directions of the stream, and nothing else",
  async () => {
    await using server = startEcho();
    await using client = await SocketClient.connect(server.port);
    const stream = await open(client);
    await stream.send(closeFrame(1000), true);
    assertEquals(await frames(stream, 1), ["close 1000"]);
    await stream.response();
    assertEquals([stream.complete, stream.resetCode], [true, undefined]);
    assertEquals((await client.request()).content, "ok");
    const { counts, access } = server;
    await until(() => counts.webSocketsOpen === 0 && access.length === 2);
    await until(() => counts.http2StreamsOpen === 0);
    assertEquals(
      access.map(({ type, httpVersion, status, aborted }) =>
        [type, httpVersion, status, aborted].join()
      ).sort(),
      ["http,2,200,false", "websocket,2,200,false"],
    );
  },
);

for (
  const [how, leave] of [
    ["resets its stream", (stream: ClientStream) => stream.cancel()],
    [
      "ends it without a close",
      (stream: ClientStream) => stream.send("", true),
    ],
  ] as const
) {
  netTest(`A client that ${how} is lost to its WebSocket alone`, async () => {
    await using server = startEcho();
    await using client = await SocketClient.connect(server.port);
    const [one, two] = await Promise.all([open(client), open(client)]);
    await leave(one);
    await until(() => server.echo.ends.length === 1);
    assertEquals(server.echo.ends, [
      { type: "websocket.disconnect", code: 1006, reason: "" },
    ]);
    await two.send(clientFrame(TEXT, "still here"));
    assertEquals(await frames(two, 1), ["still here"]);
    await until(() => server.access.length === 1);
    assert(server.access[0].aborted);
    assertEquals(server.counts.webSocketsOpen, 1);
  });
}

netTest(
  "A client that grants no window holds its WebSocket back, and nothing else",
  async () => {
    let sent = 0;
    const message = "x".repeat(16 * 1024);
    await using server = start(async (scope, receive, send) => {
      if (scope.type === "http") {
        return await respond(send, 200, { body: "ok" });
      }
      await receive();
      await send({ type: "websocket.accept" });
      for (; sent < 100; sent++) {
        await send({ type: "websocket.send", text: message });
      }
    });
    const options = { autoCredit: false };
    await using client = await SocketClient.connect(server.port, options);
    const stream = await open(client);
    // The window of a stream, and what the server holds besides.
    await stream.contentOf(65_535);
    client.windowUpdate(0, 2 ** 30);
    assertEquals((await client.request()).content, "ok");
    await client.sync();
    const held = sent;
    assert(held < 20, `${held} messages were sent`);
    assertEquals(stream.content.length, 65_535);
    stream.grant(2 ** 30);
    // Each with a head of 4 bytes, and a Close frame.
    await stream.contentOf(100 * (4 + message.length) + 4);
    assertEquals(sent, 100);
  },
);

netTest(
  "What an application does not receive holds its client back",
  async () => {
    const { promise: receiving, resolve: letReceive } = Promise.withResolvers<
      void
    >();
    let received = 0;
    await using server = start(async (scope, receive, send) => {
      if (scope.type === "http") {
        return await respond(send, 200, { body: "ok" });
      }
      await receive();
      await send({ type: "websocket.accept" });
      await receiving;
      while ((await receive()).type === "websocket.receive") received++;
    });
    await using client = await SocketClient.connect(server.port);
    const stream = await open(client);
    const message = clientFrame(BINARY, new Uint8Array(16 * 1024 - 8));
    const total = 100;
    let left = total;
    const sending = (async () => {
      while (left-- > 0) await stream.send(message);
    })();
    await until(async () => {
      const before = left;
      await client.sync();
      return left === before && stream.sendable === 0;
    });
    // The window of a stream, and what is read ahead of the application.
    assert(total - left < 30, `${total - left} messages were taken`);
    assertEquals((await client.request()).content, "ok");
    letReceive();
    await sending;
    await until(() => received === total);
  },
);

netTest(
  "A call counts as a stream of its client until it returns",
  async () => {
    const { promise: returning, resolve: letReturn } = Promise.withResolvers<
      void
    >();
    await using server = start(async (scope, receive, send) => {
      if (scope.type === "http") return await respond(send, 200);
      await receive();
      await send({ type: "websocket.accept" });
      await returning;
    }, { maxConcurrentStreams: 1 });
    await using client = await SocketClient.connect(server.port);
    (await open(client)).cancel();
    assertEquals((await client.request()).resetCode, "REFUSED_STREAM");
    letReturn();
    await until(async () => (await client.request()).status === 200);
  },
);

netTest("A connection that is lost ends all of its WebSockets", async () => {
  await using server = startEcho();
  await using client = await SocketClient.connect(server.port);
  await Promise.all([open(client), open(client)]);
  client.close();
  await until(() => server.echo.ends.length === 2);
  const { counts } = server;
  await until(() => counts.connectionsOpen === 0);
  await until(() => counts.webSocketsOpen === 0);
  assertEquals(counts.http2StreamsOpen, 0);
});

const REFUSED: [string, ClientRequest, status: number][] = [
  ["of another version", { headers: [["sec-websocket-version", "8"]] }, 400],
  ["of no version", { headers: [] }, 400],
  ["for another protocol", { protocol: "connect-udp" }, 501],
  ["that its application denies", { path: "/deny" }, 403],
];

for (const [what, request, status] of REFUSED) {
  netTest(`A CONNECT ${what} gets ${status}`, async () => {
    await using server = startEcho();
    await using client = await SocketClient.connect(server.port);
    const stream = client.open({ ...CONNECT, ...request }, false);
    await stream.response();
    assertEquals(stream.status, status);
    const version = request.headers === undefined ? undefined : "13";
    assertEquals(stream.header("sec-websocket-version"), version);
    assertEquals((await client.request()).content, "ok");
    assertEquals(server.counts.webSocketsAccepted, 0);
  });
}

netTest(
  "A CONNECT that has ended, or wants a tunnel, gets no application",
  async () => {
    await using server = startEcho();
    await using client = await SocketClient.connect(server.port);
    const ended = await client.open(CONNECT, true).response();
    const fields = [[":method", "CONNECT"], [":authority", "a:1"]] as const;
    const tunnel = await client.open({ fields }, false).response();
    assertEquals([ended.status, tunnel.status], [400, 501]);
    assertEquals(server.echo.scopes, []);
  },
);

netTest(
  "Past maxWebSockets, a stream gets a 503, until one has ended",
  async () => {
    await using server = startEcho({ maxWebSockets: 1 });
    await using client = await SocketClient.connect(server.port);
    const first = await open(client);
    const refused = await open(client);
    assertEquals([refused.status, refused.header("retry-after")], [503, "1"]);
    await first.send(closeFrame(1000), true);
    await until(() => server.counts.webSocketsOpen === 0);
    assertEquals((await open(client)).status, 200);
  },
);

netTest(
  "A shutdown closes WebSockets with 1012, then the connection",
  async () => {
    await using server: TestServer = startEcho();
    await using client = await SocketClient.connect(server.port);
    const stream = await open(client);
    const over = server.server.shutdown();
    assertEquals(await frames(stream, 1), ["close 1012"]);
    await stream.send(closeFrame(1012), true);
    await client.closed();
    client.close();
    await over;
    assertEquals(client.goAways, ["NO_ERROR", "NO_ERROR"]);
  },
);

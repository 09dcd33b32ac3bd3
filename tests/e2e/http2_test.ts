// HTTP/2 on the sockets of a server: how a client comes to speak it, and what
// holds for connections and requests whatever version they are of.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type AccessRecord,
  type HttpScope,
  respond,
  type ServeOptions,
} from "../../mod.ts";
import { Metrics } from "../../src/metrics/mod.ts";
import { FRAME_TYPES } from "../../src/http2/frames.ts";
import { SocketClient } from "../http2/_sockets.ts";
import { http, pathApp } from "./_apps.ts";
import { connectTls } from "./_other_clients.ts";
import { netTest, pause, start, type TestServer, until } from "./_testing.ts";
import { get, ONE, tlsTest } from "./_tls.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Answers with some of what its scope says. */
const scopeApp = http(async (scope, _receive, send) => {
  await respond(send, 200, { body: JSON.stringify(seenIn(scope)) });
});

function seenIn(
  { http_version, scheme, method, path, headers, client, server }: HttpScope,
) {
  return { http_version, scheme, method, path, headers, client, server };
}

/** Answers "/wait" when the test says so, all else at once. */
function startWaiting(options: ServeOptions = {}) {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const server = start(
    http(async ({ path }, _receive, send) => {
      if (path === "/wait") await opened;
      await respond(send, 200, { body: path });
    }),
    options,
  );
  return Object.assign(server, { open });
}

// How a client comes to speak it.

netTest("A client in clear text speaks HTTP/2 by prior knowledge", async () => {
  await using server = start(scopeApp);
  const { port } = server;
  await using client = await SocketClient.connect(port);
  const responses = await Promise.all(
    ["/1", "/2"].map((path) => client.request({ path, authority: "a" })),
  );
  for (const [index, { status, content }] of responses.entries()) {
    assertEquals(status, 200);
    assertEquals(JSON.parse(content), {
      http_version: "2",
      scheme: "http",
      method: "GET",
      path: `/${index + 1}`,
      headers: [["host", "a"]],
      client: ["127.0.0.1", client.port],
      server: ["127.0.0.1", port],
    });
  }
  assertEquals(server.errors, []);
});

netTest("Clients of both versions are served on one port", async () => {
  await using server = start(pathApp);
  await using http2 = await SocketClient.connect(server.port);
  using http1 = await server.connect();
  await http1.get("/1");
  const [one, two] = await Promise.all([
    http1.readResponse(),
    http2.request({ path: "/2" }),
  ]);
  assertEquals([one.body, two.content], ["/1", "/2"]);
});

netTest("The preface may come byte by byte", async () => {
  await using server = start(pathApp);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  conn.setNoDelay(true);
  for (const byte of new TextEncoder().encode(PREFACE)) {
    await conn.write(Uint8Array.of(byte));
    await pause(1);
  }
  const head = new Uint8Array(9);
  assertEquals(await conn.read(head), 9);
  assertEquals(head[3], FRAME_TYPES.SETTINGS);
});

netTest("Without the option http2, the preface is refused", async () => {
  await using server = start(pathApp, { http2: false });
  using client = await server.connect();
  await client.send(PREFACE);
  assertEquals((await client.readResponse()).status, 505);
});

netTest("A header of the PROXY protocol comes before the preface", async () => {
  const proxyProtocol = ["127.0.0.1"];
  await using server = start(scopeApp, { proxyProtocol });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const header = "PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n";
  await conn.write(new TextEncoder().encode(header));
  await using client = SocketClient.begin(conn);
  const { content } = await client.request();
  assertEquals(JSON.parse(content).client, ["192.0.2.1", 56324]);
});

tlsTest("ALPN decides, and the server prefers HTTP/2", async ({ noDelay }) => {
  await using server = start(scopeApp, { tls: { ...ONE, noDelay } });
  await using client = await SocketClient.connectTls(server.port, ONE.cert);
  const { content } = await client.request();
  const { http_version, scheme } = JSON.parse(content);
  assertEquals([http_version, scheme], ["2", "https"]);
  for (const offered of [["http/1.1", "h2"], ["h2", "http/1.1"]]) {
    using conn = await connectAlpn(server, offered);
    assertEquals((await conn.handshake()).alpnProtocol, "h2");
  }
  for (const offered of [["http/1.1"], undefined]) {
    using http1 = await connectTls(server.port, ONE, offered);
    await http1.get("/");
    const { body } = await http1.readResponse();
    assertEquals(JSON.parse(body).http_version, "1.1");
  }
});

tlsTest("without the option http2, ALPN offers http/1.1 alone", async (way) => {
  const { noDelay } = way;
  const tls = { ...ONE, noDelay };
  await using server = start(pathApp, { tls, http2: false });
  using both = await connectAlpn(server, ["h2", "http/1.1"]);
  assertEquals((await both.handshake()).alpnProtocol, "http/1.1");
  using other = await connectAlpn(server, ["h2"]);
  await assertRejects(() => other.handshake());
  assertEquals(await get(server, ONE), "/served");
});

tlsTest(
  "over TLS, the preface counts only where ALPN has chosen",
  async (way) => {
    await using server = start(pathApp, {
      tls: { ...ONE, noDelay: way.noDelay },
    });
    for (const offered of [["http/1.1"], undefined]) {
      using client = await connectTls(server.port, ONE, offered);
      await client.send(PREFACE);
      assertEquals((await client.readResponse()).status, 505);
    }
  },
);

tlsTest("what is written acknowledges itself, if it must", async (way) => {
  const app = http(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "1", more_body: true });
    await receive();
    await send({ type: "http.response.body", body: "2" });
  });
  const { noDelay } = way;
  await using server = start(app, { tls: { ...ONE, noDelay } });
  await using client = await SocketClient.connectTls(server.port, ONE.cert);
  const stream = client.open({ method: "POST" }, false);
  await stream.contentOf(1);
  await stream.send("", true);
  await stream.response();
  // Deno's TLS has Nagle's algorithm: a PING lets the client acknowledge.
  assertEquals(client.seen("PING").length, noDelay ? 0 : 1);
});

function connectAlpn(
  { port }: TestServer,
  alpnProtocols: string[],
): Promise<Deno.TlsConn> {
  const caCerts = [ONE.cert];
  return Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts,
    alpnProtocols,
  });
}

// What holds for connections.

netTest(
  "A shutdown answers what was begun, and says where it ends",
  async () => {
    await using server = startWaiting();
    await using client = await SocketClient.connect(server.port);
    const waiting = client.request({ path: "/wait" });
    await client.sync();
    const over = server.server.shutdown();
    await client.until(() => client.goAways.length === 2);
    server.open();
    assertEquals((await waiting).content, "/wait");
    await client.closed();
    client.close();
    assertEquals(client.goAways, ["NO_ERROR", "NO_ERROR"]);
    await over;
    assertEquals(server.errors, []);
  },
);

netTest(
  "A connection makes room for others while it is idle, not else",
  async () => {
    await using server = startWaiting({ maxConnections: 1 });
    await using first = await SocketClient.connect(server.port);
    const waiting = first.request({ path: "/wait" });
    await first.sync();
    using second = await server.connect();
    await second.get("/second");
    server.open();
    assertEquals((await waiting).content, "/wait");
    await first.closed();
    first.close();
    assertEquals(first.goAways, ["NO_ERROR"]);
    assertEquals((await second.readResponse()).body, "/second");
  },
);

// What holds for requests.

netTest(
  "Past maxConcurrentRequests, a stream gets a 503, and no other",
  async () => {
    await using server = startWaiting({ maxConcurrentRequests: 1 });
    await using client = await SocketClient.connect(server.port);
    const waiting = client.request({ path: "/wait" });
    const refused = await client.request({ path: "/2" });
    assertEquals([refused.status, refused.header("retry-after")], [503, "1"]);
    server.open();
    assertEquals((await waiting).content, "/wait");
    assertEquals((await client.request({ path: "/3" })).content, "/3");
  },
);

netTest(
  "What a proxy says of a client holds for its stream alone",
  async () => {
    await using server = start(scopeApp, { trustedProxies: ["127.0.0.1"] });
    await using proxy = await SocketClient.connect(server.port);
    const seen = await Promise.all(
      ["192.0.2.1", "192.0.2.2", undefined].map(async (client) => {
        const { content } = await proxy.request({
          headers: client === undefined
            ? []
            : [["x-forwarded-for", client], ["x-forwarded-proto", "https"]],
        });
        const { client: [address], scheme } = JSON.parse(content);
        return [address, scheme];
      }),
    );
    assertEquals(seen, [
      ["192.0.2.1", "https"],
      ["192.0.2.2", "https"],
      ["127.0.0.1", "http"],
    ]);
  },
);

netTest("Access records say the version, and each stream has one", async () => {
  const records: AccessRecord[] = [];
  const accessLog = (record: AccessRecord) => void records.push(record);
  await using server = start(pathApp, { accessLog, maxRequestLineBytes: 100 });
  await using client = await SocketClient.connect(server.port);
  await client.request({ path: "/1?a" });
  const long = `/${"x".repeat(100)}`;
  assertEquals((await client.request({ path: long })).status, 414);
  await until(() => records.length === 2);
  assertEquals(
    records.map(({ httpVersion, target, status }) => [
      httpVersion,
      target,
      status,
    ]),
    [["2", "/1?a", 200], ["2", "", 414]],
  );
});

netTest(
  "Metrics count a connection once, its streams, and who is refused",
  async () => {
    const metrics = new Metrics();
    const { counts } = metrics;
    await using server = startWaiting({ metrics, maxConcurrentStreams: 2 });
    await using client = await SocketClient.connect(server.port);
    const waiting = ["/wait", "/wait"].map((path) => client.request({ path }));
    await client.sync();
    const { resetCode } = await client.request();
    assertEquals(resetCode, "REFUSED_STREAM");
    assertEquals(counts.http2StreamsRefused, 1);
    assertEquals([counts.connectionsOpen, counts.http2StreamsOpen], [1, 2]);
    assertEquals(counts.requestsInProgress, 2);
    server.open();
    await Promise.all(waiting);
    await until(() => counts.http2StreamsOpen === 0);
    client.frame("SETTINGS", 0, 0, new Uint8Array(33 * 6));
    await client.closed();
    client.close();
    assertEquals(client.goAways, ["ENHANCE_YOUR_CALM"]);
    await until(() => counts.connectionsOpen === 0);
    assertEquals(counts.http2ConnectionsClosedForAbuse, 1);
    assertEquals(counts.connectionsAccepted, 1);
    assert(counts.bytesReceived > 0);
    assertMatch(metrics.toText(), /^asgi_http2_abuse_total 1$/m);
  },
);

// What a server counts while clients do what clients do.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type AsgiApp,
  requestBody,
  respond,
  serve,
  type ServeOptions,
} from "../../mod.ts";
import { Metrics, metricsApp } from "../../src/metrics/mod.ts";
import { readExposition, sumIn, valueIn } from "../metrics/_exposition.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import { createCertificate } from "./_certificates.ts";
import { pathApp } from "./_apps.ts";
import { post, request } from "./_raw_client.ts";
import { netTest, start, type TestServer, until } from "./_testing.ts";

/** Answers, fails and waits as its path says; WebSockets get messages back. */
const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "websocket") {
    await send({ type: "websocket.accept" });
    for await (const event of receive) {
      if (event.type !== "websocket.receive") continue;
      await send({ type: "websocket.send", text: "a" });
      await send({ type: "websocket.send", text: "b" });
    }
    return;
  }
  if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
  if (scope.path === "/fail") throw new Error("broken");
  if (scope.path === "/cut") {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more_body: true });
    throw new Error("broken");
  }
  if (scope.path === "/wait") {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more_body: true });
    while ((await receive()).type !== "http.disconnect");
    return;
  }
  for await (const _ of requestBody(receive));
  await respond(send, Number(scope.path.slice(1)) || 200, { body: "12345" });
};

interface MeteredServer extends TestServer {
  readonly metrics: Metrics;
  /** The value of a metric. */
  value(name: string, labels?: Record<string, string>): number | undefined;
}

function startMetered(options: ServeOptions = {}): MeteredServer {
  const metrics = new Metrics();
  const server = start(app, { metrics, ...options });
  return Object.assign(server, {
    metrics,
    value: (name: string, labels?: Record<string, string>) =>
      valueIn(readExposition(metrics.toText()), name, labels),
  });
}

netTest(
  "Metrics count requests by method and status, and how long they took",
  async () => {
    await using server = startMetered();
    using client = await server.connect();
    for (const path of ["/200", "/204", "/404"]) {
      await client.get(path);
      await client.readResponse();
    }
    await client.send(post("/201", "abc"));
    await client.readResponse();
    await until(() => server.value("asgi_requests_in_progress") === 0);
    const name = "asgi_requests_total";
    assertEquals(server.value(name, { method: "GET", status: "2xx" }), 2);
    assertEquals(server.value(name, { method: "GET", status: "4xx" }), 1);
    assertEquals(server.value(name, { method: "POST", status: "2xx" }), 1);
    assertEquals(server.value("asgi_request_duration_seconds_count"), 4);
    assert(server.value("asgi_request_duration_seconds_sum")! > 0);
  },
);

netTest(
  "Metrics count connections, and the bytes that go over them",
  async () => {
    await using server = startMetered();
    assertEquals(server.value("asgi_connections_accepted_total"), 0);
    const client = await server.connect();
    using other = await server.connect();
    const sent = request("GET", "/", "connection: close");
    await client.send(sent);
    const received = await client.readToEnd();
    await until(() => server.value("asgi_connections_open") === 1);
    assertEquals(server.value("asgi_connections_accepted_total"), 2);
    assertEquals(server.value("asgi_received_bytes_total"), sent.length);
    assertEquals(server.value("asgi_sent_bytes_total"), received.length);
    client.close();
    other.close();
    await until(() => server.value("asgi_connections_open") === 0);
  },
);

netTest(
  "Metrics count requests that are being handled, and clients that leave",
  async () => {
    await using server = startMetered();
    const client = await server.connect();
    await client.get("/wait");
    await client.readHead();
    assertEquals(server.value("asgi_requests_in_progress"), 1);
    client.close();
    await until(() => server.value("asgi_requests_in_progress") === 0);
    assertEquals(server.value("asgi_client_disconnects_total"), 1);
    assertEquals(server.value("asgi_app_errors_total"), 0);
  },
);

netTest(
  "Metrics count errors of the application, which are no disconnects",
  async () => {
    await using server = startMetered();
    const failures = server.value("asgi_app_errors_total");
    for (const path of ["/fail", "/cut"]) {
      using client = await server.connect();
      await client.get(path);
      await client.waitForClose();
    }
    await until(() => server.value("asgi_requests_in_progress") === 0);
    assertEquals(failures, 0);
    assertEquals(server.value("asgi_app_errors_total"), 2);
    assertEquals(server.value("asgi_client_disconnects_total"), 0);
    const name = "asgi_requests_total";
    assertEquals(server.value(name, { method: "GET", status: "5xx" }), 1);
    assertEquals(server.value(name, { method: "GET", status: "2xx" }), 1);
  },
);

/** What is refused, and with which status. */
const REFUSED: [status: string, wire: string, ServeOptions][] = [
  ["400", "no request\r\n\r\n", {}],
  [
    "400",
    "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\r\n",
    {},
  ],
  ["408", "GET / HT", { headerTimeout: 20 }],
  ["408", post("/", "abc").slice(0, -1), { bodyTimeout: 20 }],
  ["413", post("/", "abc"), { maxBodyBytes: 2 }],
  ["414", request("GET", `/${"a".repeat(200)}`), { maxRequestLineBytes: 100 }],
  ["417", request("GET", "/", "expect: more"), {}],
  ["431", request("GET", "/", "a: b", "c: d"), { maxHeaders: 2 }],
  ["501", request("POST", "/", "transfer-encoding: gzip, chunked"), {}],
  ["505", "GET / HTTP/2.0\r\nhost: a\r\n\r\n", {}],
];

for (const [status, wire, options] of REFUSED) {
  netTest(
    `Metrics count a request that is refused with ${status}: ${
      wire.split("\r\n")[0].slice(0, 40)
    }`,
    async () => {
      await using server = startMetered(options);
      using client = await server.connect();
      await client.send(wire);
      assertEquals((await client.readResponse()).status, Number(status));
      const name = "asgi_requests_refused_total";
      await until(() => server.value(name, { status }) === 1);
      assertEquals(sumOf(server, name), 1);
      assertEquals(server.value("asgi_client_disconnects_total"), 0);
    },
  );
}

function sumOf({ metrics }: MeteredServer, name: string): number {
  return sumIn(readExposition(metrics.toText()), name);
}

netTest(
  "Metrics count what comes past maxConcurrentRequests as refused",
  async () => {
    await using server = startMetered({ maxConcurrentRequests: 1 });
    using first = await server.connect();
    await first.get("/wait");
    await first.readHead();
    using second = await server.connect();
    await second.get("/");
    assertEquals((await second.readResponse()).status, 503);
    const name = "asgi_requests_refused_total";
    assertEquals(server.value(name, { status: "503" }), 1);
  },
);

netTest(
  "Metrics do not count a connection that was idle for too long as an error",
  async () => {
    await using server = startMetered({ keepAliveTimeout: 20 });
    using client = await server.connect();
    await client.get("/");
    await client.readResponse();
    await client.waitForClose();
    await until(() => server.value("asgi_connections_open") === 0);
    assertEquals(sumOf(server, "asgi_requests_refused_total"), 0);
    assertEquals(server.value("asgi_client_disconnects_total"), 0);
  },
);

netTest("Metrics count a client that does not read", async () => {
  const metrics = new Metrics();
  const large: AsgiApp = async (scope, _receive, send) => {
    if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
    await respond(send, 200, { body: new Uint8Array(64 * 1024 * 1024) });
  };
  await using server = start(large, { metrics, writeTimeout: 50 });
  using client = await server.connect();
  await client.get("/");
  const value = (name: string) =>
    valueIn(readExposition(metrics.toText()), name);
  await until(() => value("asgi_write_timeouts_total") === 1);
  await until(() => value("asgi_client_disconnects_total") === 1);
});

netTest("Metrics count WebSockets and their messages", async () => {
  await using server = startMetered();
  {
    await using client = await WebSocketClient.open(
      server.url.replace("http", "ws"),
    );
    await until(() => server.value("asgi_websockets_open") === 1);
    assertEquals(server.value("asgi_requests_in_progress"), 0);
    assertEquals(server.value("asgi_connections_open"), 1);
    client.send("hello");
    assertEquals(await client.next(), "a");
    assertEquals(await client.next(), "b");
  }
  await until(() => server.value("asgi_connections_open") === 0);
  assertEquals(server.value("asgi_websockets_open"), 0);
  assertEquals(server.value("asgi_websockets_accepted_total"), 1);
  const name = "asgi_websocket_messages_total";
  assertEquals(server.value(name, { direction: "received" }), 1);
  assertEquals(server.value(name, { direction: "sent" }), 2);
  const requests = { method: "GET", status: "1xx" };
  assertEquals(server.value("asgi_requests_total", requests), 1);
});

netTest("Metrics count PROXY protocol headers that are missing", async () => {
  await using server = startMetered({ proxyProtocol: ["127.0.0.1"] });
  using client = await server.connect();
  await client.get("/");
  await client.waitForClose();
  const name = "asgi_handshake_failures_total";
  const labels = { handshake: "proxy_protocol" };
  await until(() => server.value(name, labels) === 1);
  assertEquals(server.value("asgi_connections_open"), 0);
});

netTest("Metrics count handshakes of TLS that fail", async () => {
  const tls = await createCertificate();
  await using server = startMetered({ tls });
  using client = await server.connect();
  await client.get("/");
  await client.waitForClose();
  const name = "asgi_handshake_failures_total";
  await until(() => server.value(name, { handshake: "tls" }) === 1);
  assertEquals(server.value(name, { handshake: "proxy_protocol" }), 0);
});

netTest("Metrics show the memory and the start of the process", async () => {
  await using server = startMetered();
  const memory = server.value("process_resident_memory_bytes")!;
  assert(memory > 1024 * 1024, `${memory}`);
  const startSeconds = server.value("process_start_time_seconds")!;
  const now = Date.now() / 1000;
  assert(startSeconds <= now && startSeconds > now - 3600, `${startSeconds}`);
});

netTest("metricsApp() answers with the metrics of another server", async () => {
  await using server = startMetered();
  await using monitor = start(metricsApp(server.metrics));
  await (await fetch(server.url)).text();
  const response = await fetch(`${monitor.url}metrics`);
  assertEquals(
    response.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  const read = readExposition(await response.text());
  assertEquals(sumIn(read, "asgi_requests_total"), 1);
  assertEquals(valueIn(read, "asgi_connections_accepted_total"), 1);
});

netTest("metricsApp() knows three paths and two methods", async () => {
  await using monitor = start(metricsApp(new Metrics()));
  const ask = async (path: string, method = "GET") => {
    const response = await fetch(monitor.url + path, { method });
    return [response.status, await response.text()];
  };
  assertEquals(await ask("livez"), [200, "live\n"]);
  assertEquals(await ask("livez", "HEAD"), [200, ""]);
  assertEquals((await ask("livez", "POST"))[0], 405);
  assertEquals((await ask(""))[0], 404);
  assertEquals((await ask("metrics/"))[0], 404);
});

netTest(
  "/readyz is 200 while the server accepts connections, and 503 before and after that",
  async () => {
    const metrics = new Metrics();
    await using monitor = start(metricsApp(metrics));
    const ready = async (): Promise<number> => {
      const response = await fetch(`${monitor.url}readyz`);
      await response.body?.cancel();
      return response.status;
    };
    const [starting, stopping] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    const slow: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") return await pathApp(scope, receive, send);
      await receive();
      await starting.promise;
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await stopping.promise;
      await send({ type: "lifespan.shutdown.complete" });
    };
    await using server = serve(slow, { port: 0, metrics, onListen: () => {} });
    assertEquals(await ready(), 503);
    starting.resolve();
    await until(async () => await ready() === 200);
    const over = server.shutdown();
    assertEquals(await ready(), 503);
    stopping.resolve();
    await over;
    assertEquals(await ready(), 503);
    assertMatch(metrics.toText(), /^asgi_ready 0$/m);
  },
);

// The configurations of the deployment guide do what it says: the real nginx
// and the real haproxy in front of the real command, which is started as the
// systemd unit and the Dockerfile start it.

import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { text } from "node:stream/consumers";
import { assert, assertEquals } from "@std/assert";
import { bounded, granted, pause } from "../e2e/_testing.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import {
  lacks,
  Proxy,
  shipped,
  site,
  socketOf,
  startContainer,
  startUnit,
  stop,
} from "./_deployed.ts";
import { freePort } from "../_ports.ts";

const TEST_TIMEOUT_MS = 60_000;
/** Less than that: what fails here, still stops what it has started. */
const STEP_TIMEOUT_MS = 15_000;
/** Longer than any connection should stay idle to be called kept. */
const IDLE_MS = 1200;
/** Longer than haproxy waits by default. */
const OUTAGE_MS = 3500;
const UPLOAD_BYTES = 32 * 1024 * 1024;

/** Answers with the client, counts uploads, echoes messages, and streams one event. */
const APP = `
export default async function app(scope, receive, send) {
  if (scope.type === "websocket") return await echo(receive, send);
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  const start = { type: "http.response.start", status: 200 };
  if (scope.path === "/events") {
    await send({ ...start, headers: [["content-type", "text/event-stream"]] });
    const body = "data: first\\n\\n";
    await send({ type: "http.response.body", body, more_body: true });
    while ((await receive()).type !== "http.disconnect");
    return;
  }
  let bytes = 0;
  for await (const event of receive) {
    bytes += event.body?.length ?? 0;
    if (!event.more_body) break;
  }
  if (scope.path.startsWith("/package.Service/")) {
    await send({ ...start, trailers: true });
    await send({ type: "http.response.body", body: scope.http_version });
    const headers = [["grpc-status", "0"]];
    await send({ type: "http.response.trailers", headers });
    return;
  }
  if (scope.path === "/slow") await new Promise((r) => setTimeout(r, 150));
  const body = JSON.stringify({
    bytes,
    version: scope.http_version,
    pid: Deno.pid,
    scheme: scope.scheme,
    client: scope.client,
    headers: Object.fromEntries(scope.headers),
  });
  await send({ ...start, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
}
async function echo(receive, send) {
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      await send({ type: "websocket.send", text: event.text });
    }
  }
}
`;

/** What the application answers. */
interface Answer {
  readonly bytes: number;
  readonly version: string;
  readonly pid: number;
  readonly scheme: string;
  readonly client: readonly [string, number] | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Declares a test that needs a proxy. */
function proxyTest(
  program: string,
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const lack = lacks(program);
  const title = `deployment: ${program} ${name}`;
  Deno.test({
    name: lack === undefined ? title : `${title} (not run: ${lack})`,
    ignore: lack !== undefined ||
      !(["net", "read", "write", "run", "env", "sys"] as const).every(granted),
    fn: (t) => bounded(fn(t), title, TEST_TIMEOUT_MS),
  });
}

proxyTest("nginx", "passes on all that comes to a unix socket", async (t) => {
  await using folder = await site(APP);
  await using _server = await startUnit(folder.path, 1);
  // The other instance is missing, and is not missed.
  await using proxy = await Proxy.nginx(folder.path);
  await t.step("keeps its connection to the server", async () => {
    const connections = () => connectionsTo(socketOf(folder.path, 1));
    await ask(proxy);
    const before = connections();
    await pause(IDLE_MS);
    await ask(proxy);
    assertEquals(before.length, 1);
    assertEquals(connections(), before);
  });
  await t.step("is trusted with who asked", async () => {
    const { client, scheme } = await askSecurely(proxy);
    assertEquals(client?.[0], "127.0.0.1");
    assertEquals(scheme, "https");
  });
  await passesOn(t, proxy);
});

proxyTest("haproxy", "passes on all that comes to a port", async (t) => {
  await using folder = await site(APP);
  const port = freePort();
  const metricsPort = freePort();
  await using _server = await startContainer(folder.path, port, metricsPort);
  await using proxy = await Proxy.haproxy(folder.path, port);
  await t.step("keeps its connection to the server", async () => {
    const first = await ask(proxy);
    await pause(IDLE_MS);
    const second = await ask(proxy);
    // Each connection has a port of its own.
    assert(first.client !== null);
    assertEquals(second.client, first.client);
  });
  await t.step("is ready where it is probed", async () => {
    const paths = [...shipped("kubernetes.yaml").matchAll(/path: (\S+),/g)];
    assertEquals(paths.length, 3);
    for (const [, path] of paths) {
      const response = await fetch(
        `http://127.0.0.1:${metricsPort}${path}`,
        timely(),
      );
      await response.body?.cancel();
      assertEquals(response.status, 200);
    }
  });
  await passesOn(t, proxy);
});

proxyTest(
  "nginx",
  "loses nothing when instances are restarted one after the other",
  async () => {
    await using folder = await site(APP);
    await using first = await startUnit(folder.path, 1);
    await using second = await startUnit(folder.path, 2);
    await using proxy = await Proxy.nginx(folder.path);
    await using load = new Load(proxy.url);
    await load.answers(10);
    await stop(first);
    await using _third = await startUnit(folder.path, 1);
    await stop(second);
    await using _fourth = await startUnit(folder.path, 2);
    await load.answers(10);
    await load.stop();
    assertEquals(load.failures, []);
    assertEquals(load.pids.size, 4);
  },
);

proxyTest(
  "haproxy",
  "loses nothing when the only server is restarted",
  async () => {
    await using folder = await site(APP);
    const port = freePort();
    await using first = await startContainer(folder.path, port);
    await using proxy = await Proxy.haproxy(folder.path, port);
    await using load = new Load(proxy.url);
    await load.answers(10);
    await stop(first);
    await pause(OUTAGE_MS);
    await using _second = await startContainer(folder.path, port);
    await load.answers(10);
    await load.stop();
    assertEquals(load.failures, []);
    assertEquals(load.pids.size, 2);
  },
);

proxyTest("haproxy", "passes on all that comes over HTTP/2", async (t) => {
  await using folder = await site(APP);
  const port = freePort();
  await using _server = await startContainer(folder.path, port);
  await using proxy = await Proxy.haproxy(folder.path, port, true);
  await t.step("speaks HTTP/2 to the server", async () => {
    assertEquals((await ask(proxy)).version, "2");
  });
  await passesOn(t, proxy);
});

proxyTest(
  "haproxy",
  "loses nothing over HTTP/2 when the only server is restarted",
  async () => {
    await using folder = await site(APP);
    const port = freePort();
    await using first = await startContainer(folder.path, port);
    await using proxy = await Proxy.haproxy(folder.path, port, true);
    await using load = new Load(proxy.url);
    await load.answers(10);
    await stop(first);
    await pause(OUTAGE_MS);
    await using _second = await startContainer(folder.path, port);
    await load.answers(10);
    await load.stop();
    assertEquals(load.failures, []);
    assertEquals(load.pids.size, 2);
  },
);

proxyTest("nginx", "passes trailers on by grpc_pass", async () => {
  await using folder = await site(APP);
  await using _server = await startUnit(folder.path, 1);
  await using proxy = await Proxy.nginx(folder.path, true);
  const { content, trailers } = await callGrpc(proxy);
  assertEquals(content, "2");
  assertEquals(trailers["grpc-status"], "0");
});

/** Calls a method as gRPC does, but for its content. */
async function callGrpc(
  { tlsPort, certificate }: Proxy,
): Promise<{ content: string; trailers: IncomingHttpHeaders }> {
  const ca = certificate.cert;
  const session = connect(`https://127.0.0.1:${tlsPort}`, { ca });
  try {
    const path = "/package.Service/Method";
    const stream = session.request({ ":method": "POST", ":path": path });
    const trailers = once(stream, "trailers");
    stream.end("request");
    const content = await text(stream);
    const [fields] = await trailers;
    return { content, trailers: fields };
  } finally {
    session.close();
    await once(session, "close");
  }
}

/** What has to work behind any proxy. */
async function passesOn(t: Deno.TestContext, proxy: Proxy): Promise<void> {
  await t.step("says who asked, and how", async () => {
    const { headers } = await ask(proxy);
    assertEquals(headers["x-forwarded-for"], "127.0.0.1");
    assertEquals(headers["x-forwarded-proto"], "http");
    assertEquals(headers["host"], new URL(proxy.url).host);
    const secure = await askSecurely(proxy);
    assertEquals(secure.headers["x-forwarded-proto"], "https");
  });
  await t.step("passes WebSockets on", async () => {
    const url = proxy.url.replace("http:", "ws:");
    await using socket = await WebSocketClient.open(url);
    socket.send("Hello");
    assertEquals(await socket.next(), "Hello");
  });
  await t.step("passes an event on while the response is open", async () => {
    const response = await fetch(`${proxy.url}events`, timely());
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), "data: first\n\n");
    await reader.cancel();
  });
  await t.step("passes large content on", async () => {
    const body = new Uint8Array(UPLOAD_BYTES);
    const request = { method: "POST", body, ...timely() };
    const response = await fetch(proxy.url, request);
    assertEquals(response.status, 200);
    assertEquals((await response.json()).bytes, UPLOAD_BYTES);
  });
}

/** How a request is bounded in time, with its response. */
function timely(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(STEP_TIMEOUT_MS) };
}

/** What a client claims that has no business to. */
const CLAIMS = {
  "x-forwarded-for": "192.0.2.1",
  "x-forwarded-proto": "gopher",
};

async function ask(proxy: Proxy): Promise<Answer> {
  return await (await fetch(proxy.url, { headers: CLAIMS, ...timely() }))
    .json();
}

async function askSecurely(proxy: Proxy): Promise<Answer> {
  const caCerts = [proxy.certificate.cert];
  using client = Deno.createHttpClient({ caCerts });
  const url = `https://127.0.0.1:${proxy.tlsPort}/`;
  return await (await fetch(url, { client, headers: CLAIMS, ...timely() }))
    .json();
}

/** The connections that are open to a unix socket, by their inodes. */
function connectionsTo(path: string): string[] {
  const connected = "03";
  return Deno.readTextFileSync("/proc/net/unix").split("\n")
    .map((line) => line.split(/\s+/))
    .filter((fields) => fields[5] === connected && fields[7] === path)
    .map((fields) => fields[6]);
}

/** Clients that ask one request after the other until they are stopped. */
class Load implements AsyncDisposable {
  /** What went wrong: other statuses than 200, and errors. */
  readonly failures: string[] = [];
  /** The servers that have answered. */
  readonly pids: Set<number> = new Set();
  readonly #url: string;
  readonly #clients: Promise<void>[];
  #answered = 0;
  #stopped = false;

  constructor(url: string) {
    this.#url = url;
    this.#clients = ["", "", "slow"].map((path) => this.#ask(path));
  }

  /** Waits for so many answers more. */
  async answers(count: number): Promise<void> {
    const enough = this.#answered + count;
    const end = performance.now() + STEP_TIMEOUT_MS;
    while (this.#answered < enough) {
      assert(performance.now() < end, "Too few requests are answered");
      await pause(10);
    }
  }

  /** Lets the last requests end; idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #ask(path: string): Promise<void> {
    while (!this.#stopped) {
      await this.#request(path);
      await pause(5);
    }
  }

  async #request(path: string): Promise<void> {
    try {
      const response = await fetch(this.#url + path, timely());
      const text = await response.text();
      this.#answered++;
      if (response.status === 200) this.pids.add(JSON.parse(text).pid);
      else this.failures.push(`${response.status} ${text}`);
    } catch (error) {
      this.failures.push(String(error));
    }
  }
}

// A socket in memory becomes a connection whose requests are dispatched.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { respond } from "../../src/asgi/helpers.ts";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../../src/asgi/types.ts";
import type { ServedConnection } from "../../src/http/served_connection.ts";
import type { AccessRecord } from "../../src/logs/records.ts";
import type { SocketConn } from "../../src/net/connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import type { Listener } from "../../src/net/listener.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { HttpConnections } from "../../src/server/http_connections.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { bytes, text } from "../_feeding.ts";

const [PLAIN, SECURE] = [false, true].map((secure) => ({
  address: { transport: "tcp", hostname: "127.0.0.1", port: 80, secure },
  secure,
} as Partial<Listener> as Listener));

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/** The preface, and SETTINGS that change nothing. */
const HTTP2 = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0`;
/** Type, flags and stream of the frame that a server begins with. */
const SETTINGS_ON_CONNECTION = "\x04\0\0\0\0\0";

const app: AsgiApp = (scope, _receive, send) =>
  respond(send, 200, {
    body: scope.type === "http" ? `${scope.client} ${scope.scheme}` : "",
  });

/** A socket whose client sends some bytes, and then no more. */
class MemoryConn implements SocketConn {
  readonly remoteAddr: Deno.Addr = address(1);
  readonly localAddr: Deno.Addr = address(80);
  output = "";
  closed = false;
  #sent: Uint8Array | null;

  constructor(sent: string) {
    this.#sent = bytes(sent);
  }

  read(into: Uint8Array): Promise<number | null> {
    const sent = this.#sent;
    this.#sent = null;
    if (sent === null) return Promise.resolve(null);
    into.set(sent);
    return Promise.resolve(sent.length);
  }

  write(written: Uint8Array): Promise<number> {
    this.output += text(written);
    return Promise.resolve(written.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

function address(port: number): Deno.Addr {
  return { transport: "tcp", hostname: "127.0.0.1", port };
}

/** How a client reaches the server, and what it speaks. */
interface Reached {
  /** What ALPN has chosen; `undefined` in clear text. */
  readonly alpnProtocol?: string | null;
  /** Whether HTTP/2 is spoken at all. */
  readonly http2?: boolean;
}

/** Makes connections whose requests `app` answers. */
function makeConnections(
  { http2 = true }: Reached = {},
): { connections: HttpConnections; records: AccessRecord[] } {
  const records: AccessRecord[] = [];
  const options = { ...DEFAULT_OPTIONS, http2 };
  const dispatcher = new Dispatcher(app, {
    options,
    lifespan: new LifespanCycle(app, "off", () => {}),
    openFile: () => Promise.reject(new Error("There are no files here")),
    log: () => {},
    accessLog: (record) => void records.push(record),
  });
  const connections = new HttpConnections(dispatcher, {
    clock: new DeadlineClock(1_000),
    options,
    log: () => {},
  });
  return { connections, records };
}

/** Serves what a client sends; what it gets, and what is recorded of it. */
async function serveOnce(
  sent: string,
  reached: Reached = {},
): Promise<{ conn: MemoryConn; records: AccessRecord[] }> {
  const { connections, records } = makeConnections(reached);
  const { alpnProtocol } = reached;
  const conn = Object.assign(new MemoryConn(sent), { alpnProtocol });
  await connections.prepare(conn);
  const listener = alpnProtocol === undefined ? PLAIN : SECURE;
  for (
    let next: Awaited<ReturnType<ServedConnection["run"]>> = connections
      .connect(conn, listener);
    next !== undefined && "run" in next;
  ) next = await next.run();
  return { conn, records };
}

Deno.test("A request of a socket is answered by the application", async () => {
  const { conn, records } = await serveOnce(GET);
  assertStringIncludes(conn.output, "\r\n\r\n127.0.0.1,1 http");
  assert(conn.closed);
  assertEquals(records.map(({ status }) => status), [200]);
});

Deno.test("Bytes of a socket that are no request are recorded", async () => {
  const { conn, records } = await serveOnce("nonsense\r\n\r\n");
  assertStringIncludes(conn.output, "HTTP/1.1 400 Bad Request\r\n");
  assertEquals(records.map(({ method, status }) => [method, status]), [
    ["", 400],
  ]);
});

for (const reached of [{}, { alpnProtocol: "h2" }]) {
  const how = "alpnProtocol" in reached ? "by ALPN" : "by its first bytes";
  Deno.test(`A client that chooses HTTP/2 ${how} is served so`, async () => {
    const { conn } = await serveOnce(HTTP2, reached);
    assertEquals(conn.output.slice(3, 9), SETTINGS_ON_CONNECTION);
    assert(conn.closed);
  });
}

Deno.test("A client that chooses HTTP/1.1 is not served HTTP/2", async () => {
  for (
    const reached of [
      { alpnProtocol: "http/1.1" },
      { alpnProtocol: null },
      { http2: false },
    ]
  ) {
    const good = await serveOnce(GET, reached);
    assertStringIncludes(good.conn.output, "HTTP/1.1 200 OK\r\n");
    const bad = await serveOnce(HTTP2, reached);
    assertStringIncludes(bad.conn.output, "HTTP/1.1 505 ");
  }
});

Deno.test("HTTP/2 is loaded for the first who speaks it, or before, and once", async () => {
  const [http1, http2] = ["http/1.1", "h2"].map((alpnProtocol) =>
    Object.assign(new MemoryConn(""), { alpnProtocol })
  );
  const first = makeConnections().connections;
  assertEquals(first.prepare(http1), undefined);
  const loading = first.prepare(http2);
  assert(loading !== undefined);
  await loading;
  assertEquals(first.prepare(http2), undefined);
  const other = makeConnections().connections;
  assertEquals(other.load(), other.load());
  await other.load();
  assertEquals(other.prepare(http2), undefined);
  assertEquals(makeConnections({ http2: false }).connections.load(), undefined);
});

/** The values of `alt-svc` in the response to one request. */
async function altSvc(
  connections: HttpConnections,
  listener: Listener,
): Promise<string[]> {
  const conn = new MemoryConn(GET);
  await connections.connect(conn, listener).run();
  return [...conn.output.matchAll(/^alt-svc: (.*)\r$/gm)]
    .map(([, value]) => value);
}

Deno.test("Responses of a listener with HTTP/3 make it known, until it stops", async () => {
  const { connections } = makeConnections();
  const settings = { maxConcurrentStreams: 1, maxPendingHandshakes: 1 };
  const [own, given, none] = [undefined, 'h3=":443"', null].map((altSvc) => {
    const http3 = { ...settings, altSvc };
    return { ...SECURE, http3 } as Partial<Listener> as Listener;
  });
  assertEquals(await altSvc(connections, own), ['h3=":80"; ma=86400']);
  assertEquals(await altSvc(connections, given), ['h3=":443"']);
  assertEquals(await altSvc(connections, none), []);
  assertEquals(await altSvc(connections, SECURE), []);
  connections.stopAdvertising();
  assertEquals(await altSvc(connections, own), []);
  assertEquals(await altSvc(connections, given), []);
});

/**
 * What an idle connection costs a server in resident memory: opens many, waits,
 * and divides the growth of the server's processes. What any load costs is paid
 * before: the memory that requests come from, and the first connections.
 *
 *     deno run -A bench/idle_connections.ts [KIND] [COUNT]
 *
 * `websocket` and `http` are connections that were answered once; `http2` is
 * the same over HTTP/2. `http2-stream` are requests whose responses have begun,
 * and which the application does not end, a hundred on each connection; each of
 * them bears its share of the connection. `http2-pending` are the same, before the
 * application has received or sent anything: the streams of its call do not exist.
 *
 * It needs `/proc`, and as many open files as connections (`ulimit -n`).
 *
 * @module
 */

import { killTree, residentBytes } from "./compare/proc.ts";
import { SocketClient } from "../tests/http2/_sockets.ts";
import { freePort } from "../tests/_ports.ts";

/** What can be idle. */
export type IdleKind =
  | "http"
  | "websocket"
  | "http2"
  | "http2-stream"
  | "http2-pending";

const FIRST = 500;
const WARM_UP_MS = 5_000;
const WARM_UP_CLIENTS = 64;
const SETTLE_MS = 3_000;
const OPEN_TIMEOUT_MS = 60_000;

/** Streams of a connection over HTTP/2. */
const STREAMS = 100;

const REQUESTS = {
  http: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  websocket: "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
};
const APPS: Record<IdleKind, string> = {
  http: "examples/hello.ts",
  websocket: "examples/websocket_echo.ts",
  http2: "examples/hello.ts",
  "http2-stream": "bench/held_responses.ts",
  "http2-pending": "bench/held_responses.ts",
};

/**
 * Opens `count` connections to a server, each of which has been answered once,
 * and returns what each of them costs it, in bytes.
 *
 * @throws {Error} If the server has closed connections meanwhile, or has not
 * answered all of them within a minute.
 */
export async function idleConnectionBytes(
  server: { readonly pid: number; readonly port: number },
  count: number,
  kind: IdleKind = "http",
): Promise<number> {
  const connections: Idle[] = [];
  function closeAll(): void {
    for (const connection of connections) connection.close();
  }
  // A server that accepts no more would keep the next answer waiting for ever.
  const timer = setTimeout(closeAll, OPEN_TIMEOUT_MS);
  try {
    await load(server.port);
    await open(connections, server.port, kind, FIRST);
    await delay(SETTLE_MS);
    const before = residentBytes(server.pid);
    await open(connections, server.port, kind, count);
    await delay(SETTLE_MS);
    const growth = residentBytes(server.pid) - before;
    // The oldest connection is the first that a server would have closed.
    if (connections[0].ended) {
      throw new Error(
        "Cannot measure idle connections: the server closes them",
      );
    }
    return growth / count;
  } finally {
    clearTimeout(timer);
    closeAll();
  }
}

/** Sends requests for a while, each client one after the other. */
async function load(port: number): Promise<void> {
  const end = performance.now() + WARM_UP_MS;
  const request = new TextEncoder().encode(REQUESTS.http);
  async function client(): Promise<void> {
    const response = new Uint8Array(64 * 1024);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    while (performance.now() < end) {
      await connection.write(request);
      if (await connection.read(response) === null) return;
    }
  }
  await Promise.all(Array.from({ length: WARM_UP_CLIENTS }, client));
}

async function open(
  connections: Idle[],
  port: number,
  kind: IdleKind,
  count: number,
): Promise<void> {
  const each = kind.startsWith("http2-") ? STREAMS : 1;
  for (let i = 0; i < count; i += each) {
    connections.push(await openOne(port, kind));
  }
}

async function openOne(port: number, kind: IdleKind): Promise<Idle> {
  if (kind === "http" || kind === "websocket") {
    return await IdleSocket.open(port, REQUESTS[kind]);
  }
  const client = await SocketClient.connect(port);
  if (kind === "http2") await client.request();
  else if (kind === "http2-stream") await openStreams(client);
  else await openPending(client);
  return client;
}

/** Begins requests, and waits until all responses have. */
async function openStreams(client: SocketClient): Promise<void> {
  const streams = Array.from({ length: STREAMS }, () => {
    return client.open({ path: "/held" });
  });
  await Promise.all(streams.map((stream) => stream.contentOf(1)));
}

/** Begins requests, and waits until all of them have reached the application. */
async function openPending(client: SocketClient): Promise<void> {
  for (let i = 0; i < STREAMS; i++) client.open({ path: "/pending" });
  await client.sync();
}

/** A connection that has been answered, and is kept open. */
interface Idle {
  /** Whether the server has closed it. */
  readonly ended: boolean;
  close(): void;
}

/** One whose bytes are written by hand. */
class IdleSocket implements Idle {
  ended = false;
  readonly #conn: Deno.Conn;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects, sends a request, and waits for the answer. */
  static async open(port: number, request: string): Promise<IdleSocket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(new TextEncoder().encode(request));
    if (await conn.read(new Uint8Array(1024)) === null) {
      throw new Error("Cannot open idle connections: one was closed");
    }
    const socket = new IdleSocket(conn);
    const ended = (): void => {
      socket.ended = true;
    };
    conn.read(new Uint8Array(1)).then(ended, ended);
    return socket;
  }

  close(): void {
    this.#conn[Symbol.dispose]();
  }
}

async function main(kind: IdleKind, count: number): Promise<void> {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", APPS[kind]],
    cwd: new URL("..", import.meta.url),
    env: { PORT: String(port) },
    stderr: "null",
  }).spawn();
  try {
    await delay(SETTLE_MS);
    const server = { pid: process.pid, port };
    const each = await idleConnectionBytes(server, count, kind) / 1024;
    console.log(`${count} idle, ${kind}: ${each.toFixed(1)} KiB each`);
  } finally {
    killTree(process.pid);
    await process.status;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const [kind = "websocket", count = "10000"] = Deno.args;
  if (!Object.hasOwn(APPS, kind)) {
    console.error(`error: there is no ${kind}, only ${Object.keys(APPS)}`);
    Deno.exit(1);
  }
  await main(kind as IdleKind, Number(count));
}

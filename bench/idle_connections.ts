/**
 * What an idle connection costs a server in resident memory: opens many, waits,
 * and divides the growth of the server's processes. What any load costs is paid
 * before: the memory that requests come from, and the first connections.
 *
 *     deno run -A bench/idle_connections.ts [http | websocket] [count]
 *
 * It needs `/proc`, and as many open files as connections (`ulimit -n`).
 *
 * @module
 */

import { killTree, residentBytes } from "./compare/proc.ts";
import { freePort } from "../tests/_ports.ts";

/** The protocols that a connection can be idle in. */
export type IdleKind = "http" | "websocket";

const FIRST = 500;
const WARM_UP_MS = 5_000;
const WARM_UP_CLIENTS = 64;
const SETTLE_MS = 3_000;
const OPEN_TIMEOUT_MS = 60_000;

const REQUESTS: Record<IdleKind, string> = {
  http: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  websocket: "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
};
const EXAMPLES: Record<IdleKind, string> = {
  http: "hello.ts",
  websocket: "websocket_echo.ts",
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
  const connections: Deno.Conn[] = [];
  function closeAll(): void {
    for (const connection of connections) connection[Symbol.dispose]();
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
    await requireOpen(connections[0]);
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
  connections: Deno.Conn[],
  port: number,
  kind: IdleKind,
  count: number,
): Promise<void> {
  const request = new TextEncoder().encode(REQUESTS[kind]);
  const response = new Uint8Array(1024);
  for (let i = 0; i < count; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connections.push(connection);
    await connection.write(request);
    if (await connection.read(response) === null) {
      throw new Error(`Cannot open ${count} connections: one was closed`);
    }
  }
}

/** The oldest connection is the first that a server would have closed. */
async function requireOpen(connection: Deno.Conn): Promise<void> {
  const closed = connection.read(new Uint8Array(1024)).then(
    (read) => read === null,
    () => false, // It is closed by us, below.
  );
  if (await Promise.race([closed, delay(50).then(() => false)])) {
    throw new Error("Cannot measure idle connections: the server closes them");
  }
}

async function main(kind: IdleKind, count: number): Promise<void> {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `examples/${EXAMPLES[kind]}`],
    cwd: new URL("..", import.meta.url),
    env: { PORT: String(port) },
    stderr: "null",
  }).spawn();
  try {
    await delay(SETTLE_MS);
    const server = { pid: process.pid, port };
    const each = await idleConnectionBytes(server, count, kind) / 1024;
    console.log(
      `${count} idle ${kind} connections: ${each.toFixed(1)} KiB each`,
    );
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
  await main(kind as IdleKind, Number(count));
}

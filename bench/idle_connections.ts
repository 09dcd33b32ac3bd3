/**
 * What an idle connection costs the server in resident memory, beyond the
 * first: opens many, waits, and divides the growth of the server's process.
 *
 *     deno run -A bench/idle_connections.ts [http | websocket] [count]
 *
 * It needs `/proc`, and as many open files as connections (`ulimit -n`).
 *
 * @module
 */

const [kind = "websocket", count = "10000"] = Deno.args;
const WARM_UP = 500;
const SETTLE_MS = 3_000;

const REQUESTS: Record<string, string> = {
  http: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  websocket: "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
};
const EXAMPLES: Record<string, string> = {
  http: "hello.ts",
  websocket: "websocket_echo.ts",
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const port = freePort();
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `examples/${EXAMPLES[kind]}`],
    cwd: new URL("..", import.meta.url),
    env: { PORT: String(port) },
    stderr: "null",
  }).spawn();
  try {
    await delay(SETTLE_MS);
    // The first connections pay for what all of them share.
    const connections = await open(port, WARM_UP);
    await delay(SETTLE_MS);
    const before = residentBytes(server.pid);
    connections.push(...await open(port, Number(count)));
    await delay(SETTLE_MS);
    const growth = residentBytes(server.pid) - before;
    const each = growth / Number(count) / 1024;
    console.log(
      `${count} idle ${kind} connections: ${each.toFixed(1)} KiB each`,
    );
    for (const connection of connections) connection.close();
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
}

async function open(port: number, count: number): Promise<Deno.Conn[]> {
  const connections: Deno.Conn[] = [];
  const request = new TextEncoder().encode(REQUESTS[kind]);
  const response = new Uint8Array(1024);
  for (let i = 0; i < count; i++) {
    const connection = await Deno.connect({ port });
    await connection.write(request);
    await connection.read(response);
    connections.push(connection);
  }
  return connections;
}

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function freePort(): number {
  using listener = Deno.listen({ port: 0 });
  return listener.addr.port;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

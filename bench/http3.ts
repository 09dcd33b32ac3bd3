/**
 * HTTP/3 beside hypercorn with aioquic: the processor time that each server takes
 * for a request, in one run, in turns; and what an idle connection costs ours.
 *
 *     deno run -A --unstable-net bench/http3.ts [SECONDS]
 *
 * Hypercorn is looked for where the benchmarks keep packages; it needs
 * `pip install "hypercorn[h3]" uvloop`. The client is Deno's own QUIC, in this
 * process; only the servers are measured. It needs `/proc`.
 *
 * @module
 */

import { createCertificate } from "../tests/e2e/_certificates.ts";
import { Http3Client } from "../tests/e2e/_http3_client.ts";
import { benchmarkPackages } from "../tests/interop/_peer.ts";
import { cpuSeconds, killTree, residentBytes } from "./compare/proc.ts";

const ROUNDS = 5;
const CONNECTIONS = 8;
/** Requests of a connection that are under way at once. */
const CONCURRENCY = 4;
const START_TIMEOUT_MS = 15_000;
const IDLE_CONNECTIONS = 300;
const SETTLE_MS = 3_000;
const CASES = { "hello": "/", "10 KiB": "/10k" };
const FIELDS = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "localhost"],
] as const;

const APPS = new URL("compare/apps/", import.meta.url).pathname;
const PAIR = await createCertificate("localhost");

/** A server that is measured. */
interface Measured {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

/** What a server has done in one round. */
interface Round {
  /** Microseconds of processor time a request. */
  readonly cpu: number;
  readonly perSecond: number;
}

function startServer(name: string, port: number, command: string[]): Measured {
  const [program, ...args] = command;
  const { pid } = new Deno.Command(program, {
    args,
    cwd: APPS,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { DENO_TOKIO_EVENT_INTERVAL: "1" },
  }).spawn();
  return { name, port, pid };
}

function commands(folder: string): [name: string, command: string[]][] {
  const tls = ["--cert", `${folder}/cert.pem`, "--key", `${folder}/key.pem`];
  const command = new URL("../src/cli.ts", import.meta.url).pathname;
  const ours = [
    ...[Deno.execPath(), "run", "-A", "--unstable-net", command],
    ...["x_asgi.ts:app", "--http3", "--access-log", "off", ...tls],
    ...["--port"],
  ];
  const hypercorn = [
    ...[`${benchmarkPackages()}/venv/bin/hypercorn`, "-k", "uvloop"],
    ...["--certfile", `${folder}/cert.pem`, "--keyfile", `${folder}/key.pem`],
    ...["--bind", "127.0.0.1:0", "app:app", "--quic-bind"],
  ];
  return [["x-asgi", ours], ["hypercorn", hypercorn]];
}

async function connect(port: number): Promise<Http3Client> {
  const end = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await Http3Client.connect(port, PAIR);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

async function get(client: Http3Client, path: string): Promise<void> {
  const stream = await client.open([...FIELDS, [":path", path]]);
  await stream.end();
  while (await stream.next() !== undefined);
}

/** Sends requests for a while over some connections. */
async function load(
  { port, pid }: Measured,
  path: string,
  ms: number,
): Promise<Round> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect(port)),
  );
  for (const client of clients) await get(client, path);
  const [begin, before] = [performance.now(), cpuSeconds(pid)];
  let requests = 0;
  async function run(client: Http3Client): Promise<void> {
    while (performance.now() < begin + ms) {
      await get(client, path);
      requests++;
    }
  }
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: CONCURRENCY }, () => run(client))
    ),
  );
  const cpu = (cpuSeconds(pid) - before) / requests * 1e6;
  const perSecond = requests / (performance.now() - begin) * 1000;
  for (const client of clients) client.close();
  return { cpu, perSecond };
}

/** The lower quartile: what disturbs a round only adds to it. */
function typical(rounds: readonly Round[]): Round {
  const sorted = rounds.toSorted((a, b) => a.cpu - b.cpu);
  return sorted[Math.floor(sorted.length / 4)];
}

async function measure(servers: readonly Measured[], ms: number) {
  for (const [name, path] of Object.entries(CASES)) {
    const rounds = new Map<string, Round[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of servers) {
        const all = rounds.get(server.name) ?? [];
        rounds.set(server.name, [...all, await load(server, path, ms)]);
      }
    }
    for (const [server, all] of rounds) {
      const { cpu, perSecond } = typical(all);
      console.log(
        `${name}: ${server} ${cpu.toFixed(0)} µs/request, ${
          perSecond.toFixed(0)
        } requests/s`,
      );
    }
  }
}

/** The memory of a connection that was answered once, in KiB. */
async function idleKibibytes({ port, pid }: Measured): Promise<number> {
  const clients: Http3Client[] = [];
  async function open(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const client = await connect(port);
      await get(client, "/");
      clients.push(client);
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
  await open(50);
  const before = residentBytes(pid);
  await open(IDLE_CONNECTIONS);
  const growth = residentBytes(pid) - before;
  for (const client of clients) client.close();
  return growth / IDLE_CONNECTIONS / 1024;
}

async function main([seconds = "1"]: string[]): Promise<void> {
  const folder = await Deno.makeTempDir();
  const servers: Measured[] = [];
  try {
    await Deno.writeTextFile(`${folder}/cert.pem`, PAIR.cert);
    await Deno.writeTextFile(`${folder}/key.pem`, PAIR.key);
    let port = 20_000 + Deno.pid % 10_000;
    for (const [name, [...command]] of commands(folder)) {
      const address = name === "x-asgi" ? `${++port}` : `127.0.0.1:${++port}`;
      servers.push(startServer(name, port, [...command, address]));
    }
    const [ours] = servers;
    await connect(ours.port).then((client) => client.close());
    console.log(`idle: ${(await idleKibibytes(ours)).toFixed(0)} KiB`);
    await measure(servers, Number(seconds) * 1000);
  } finally {
    for (const { pid } of servers) killTree(pid);
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args);

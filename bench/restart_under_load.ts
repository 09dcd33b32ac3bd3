/**
 * What clients notice of a rolling restart, a killed worker and a shutdown:
 * starts the command with two workers, keeps requests coming, and counts what
 * fails in each phase. One kind of client keeps its connection until it gets
 * `connection: close`, another opens a connection for every request, and the third
 * has several requests at a time on one HTTP/2 connection until it gets GOAWAY;
 * those that GOAWAY says were not taken are no loss.
 *
 *     deno run -A bench/restart_under_load.ts [clients of each kind] [seconds]
 *
 * "Lost" are requests that got no answer. "Turned away" are those of them that
 * were the first of their connection and met a reset: Linux resets what waits
 * to be accepted when a listener closes, unless the sysctl
 * `net.ipv4.tcp_migrate_req` is 1 and another worker listens.
 *
 * It fails if a restart or a shutdown costs a request; being turned away counts
 * where the system could have prevented it. A killed worker always costs the
 * requests that it was answering.
 *
 * @module
 */

import { SocketClient } from "../tests/http2/_sockets.ts";
import { chooseJsr } from "../tools/_jsr.ts";

const [CLIENTS = 16, SECONDS = 3] = Deno.args.map(Number);
const COMMAND = new URL("../src/cli.ts", import.meta.url);
const WORKERS = 2;
/** Requests at a time of one client over HTTP/2. */
const STREAMS = 4;

const APP = `export default async function app(scope, _receive, send) {
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
  const headers = [["content-length", "2"]];
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body: "ok" });
}`;

type Kind = "keep-alive" | "new connection" | "HTTP/2";

/** What became of the requests of one phase. */
interface Tally {
  requests: number;
  turnedAway: number;
  readonly errors: Map<string, number>;
}

/** The phase that is going on; an answer counts where its request began. */
let phase = "";
/** Set once nobody can listen any more. */
let isOver = false;
const tallies = new Map<string, Tally>();
const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

function tallyOf(name: string, kind: Kind): Tally {
  const key = `${name}\t${kind}`;
  let tally = tallies.get(key);
  if (tally === undefined) {
    tally = { requests: 0, turnedAway: 0, errors: new Map() };
    tallies.set(key, tally);
  }
  return tally;
}

/** One client: a request after the other, until all is over. */
async function runClient(port: number, kind: Kind): Promise<void> {
  let conn: Deno.Conn | undefined;
  let isFresh = true;
  while (!isOver) {
    const began = phase;
    try {
      conn ??= await connect(port);
      const isLast = await request(conn, kind);
      tallyOf(began, kind).requests++;
      isFresh = isLast;
      if (!isLast) continue;
    } catch (error) {
      if (isOver || isRefusedAtTheEnd(error)) return;
      countError(tallyOf(phase, kind), error, isFresh);
      isFresh = true;
    }
    conn?.[Symbol.dispose]();
    conn = undefined;
  }
  conn?.[Symbol.dispose]();
}

/** As {@linkcode runClient}, with some requests at a time. */
async function runHttp2Client(port: number): Promise<void> {
  while (!isOver) {
    let client: SocketClient;
    try {
      client = await SocketClient.connect(port);
    } catch (error) {
      if (isOver || isRefusedAtTheEnd(error)) return;
      countError(tallyOf(phase, "HTTP/2"), error, true);
      continue;
    }
    const streams = Array.from({ length: STREAMS }, () => runStreams(client));
    await Promise.all(streams);
    client.close();
    await client[Symbol.asyncDispose]();
  }
}

/** One request after the other on a connection that others use as well. */
async function runStreams(client: SocketClient): Promise<void> {
  while (!isOver && !client.ended && client.goAways.length === 0) {
    const began = phase;
    const { id, status, complete } = await client.request();
    const taken = client.seen("GOAWAY").at(-1)?.last ?? Infinity;
    if (status === 200 && complete) tallyOf(began, "HTTP/2").requests++;
    else if (id <= taken) {
      const isFresh = client.frames.length === 0;
      const error = isFresh
        ? new Deno.errors.ConnectionReset()
        : new Error(`Status ${status || "none"}`);
      countError(tallyOf(phase, "HTTP/2"), error, isFresh);
    }
  }
}

function countError(tally: Tally, error: unknown, isFresh: boolean): void {
  if (isFresh && error instanceof Deno.errors.ConnectionReset) {
    tally.turnedAway++;
    return;
  }
  const name = error instanceof Error ? error.name : String(error);
  tally.errors.set(name, (tally.errors.get(name) ?? 0) + 1);
}

/** After the last listener is gone, being refused is right. */
function isRefusedAtTheEnd(error: unknown): boolean {
  return phase === PHASES.stop &&
    error instanceof Deno.errors.ConnectionRefused;
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends a request and reads the answer; whether the connection is used up. */
async function request(conn: Deno.Conn, kind: Kind): Promise<boolean> {
  const field = kind === "keep-alive" ? "" : "connection: close\r\n";
  const head = `GET / HTTP/1.1\r\nhost: localhost\r\n${field}\r\n`;
  await conn.write(encoder.encode(head));
  const answer = await readAnswer(conn);
  if (!answer.startsWith("HTTP/1.1 200 ")) {
    throw new Error(answer.split("\r\n")[0]);
  }
  return /^connection: close\r$/im.test(answer);
}

/** Reads one answer, whose content is two bytes long. */
async function readAnswer(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(2048);
  for (let length = 0;;) {
    const read = await conn.read(buffer.subarray(length));
    if (read === null) throw new Deno.errors.UnexpectedEof();
    length += read;
    const text = decoder.decode(buffer.subarray(0, length));
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0 && text.length >= end + 4 + 2) return text;
  }
}

/** The command with its workers, and what it logs. */
class Command {
  readonly process: Deno.ChildProcess;
  #log = "";

  constructor(app: string) {
    this.process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", COMMAND.href, app, "--port=0"],
        ...[`--workers=${WORKERS}`, "--access-log=off", "--log-level=debug"],
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stderr: "piped",
    }).spawn();
    this.#keepLog().catch(console.error);
  }

  /** The workers that were started so far. */
  get workers(): number[] {
    return [...this.#log.matchAll(/Worker ([0-9]+) is ready/g)]
      .map(([, pid]) => Number(pid));
  }

  /** The port, once a worker serves. */
  get port(): number {
    return Number(/ at http:\/\/[^:]+:([0-9]+)\//.exec(this.#log)?.[1]);
  }

  /** Waits until so many workers were started. */
  async workersReady(count: number): Promise<void> {
    const end = performance.now() + 20_000;
    while (this.workers.length < count) {
      if (performance.now() > end) throw new Error(`Too slow:\n${this.#log}`);
      await pause(10);
    }
  }

  async #keepLog(): Promise<void> {
    const text = new TextDecoder();
    for await (const chunk of this.process.stderr) {
      this.#log += text.decode(chunk, { stream: true });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const PHASES = {
  steady: "steady",
  restart: "rolling restart",
  kill: "killed worker",
  stop: "SIGTERM",
};

/** Runs the phases; then all clients have ended. */
async function runPhases(command: Command): Promise<void> {
  await command.workersReady(WORKERS);
  const { port } = command;
  phase = PHASES.steady;
  const clients = Array.from({ length: CLIENTS }, () => [
    runClient(port, "keep-alive"),
    runClient(port, "new connection"),
    runHttp2Client(port),
  ]).flat();
  await pause(SECONDS * 1000);
  phase = PHASES.restart;
  for (let round = 1; round <= SECONDS; round++) {
    const before = command.workers.length;
    command.process.kill("SIGHUP");
    await command.workersReady(before + WORKERS);
    await pause(700);
  }
  phase = PHASES.kill;
  const before = command.workers.length;
  Deno.kill(command.workers[before - 1], "SIGKILL");
  await command.workersReady(before + 1);
  await pause(500);
  phase = PHASES.stop;
  command.process.kill("SIGTERM");
  await command.process.status;
  await Promise.all(clients);
  isOver = true;
}

/** Prints the table; whether all went as it should. */
function report(): boolean {
  console.log(row("phase", "client", "requests", "turned away", "lost"));
  let isGood = true;
  for (const [key, tally] of tallies) {
    const [name, kind] = key.split("\t");
    const { requests, turnedAway, errors } = tally;
    const lost = [...errors].map(([error, count]) => `${count} ${error}`);
    const numbers = [String(requests), String(turnedAway)];
    console.log(row(name, kind, ...numbers, lost.join(", ") || "0"));
    isGood &&= isGoodEnough(name, tally);
  }
  return isGood;
}

function isGoodEnough(name: string, { turnedAway, errors }: Tally): boolean {
  if (name === PHASES.kill) return true;
  const isAvoidable = name === PHASES.restart && migratesRequests();
  return errors.size === 0 && (turnedAway === 0 || !isAvoidable);
}

/** Whether what waits at a closing listener is moved to another. */
function migratesRequests(): boolean {
  try {
    const path = "/proc/sys/net/ipv4/tcp_migrate_req";
    return Deno.readTextFileSync(path).trim() === "1";
  } catch {
    return false;
  }
}

function row(...cells: string[]): string {
  const [name, kind, requests, turnedAway, lost] = cells;
  return name.padEnd(17) + kind.padEnd(16) + requests.padStart(8) +
    turnedAway.padStart(13) + `  ${lost}`;
}

await chooseJsr();
const app = await Deno.makeTempFile({ suffix: ".ts" });
await Deno.writeTextFile(app, APP);
const command = new Command(app);
try {
  await runPhases(command);
} finally {
  try {
    command.process.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  await Deno.remove(app);
}
Deno.exit(report() ? 0 : 1);

// The processes that are soaked: a server in one process, and the command with
// its workers. What they write to stderr is kept, and judged at the end.

import type { TestCertificate } from "../e2e/_certificates.ts";
import { firstLineOf, networkSocketsOf } from "../e2e/_server_process.ts";
import { bounded, pause } from "../e2e/_testing.ts";
import { freePort, isListening } from "../_ports.ts";
import type { Target } from "./clients.ts";
import { type Sample, sampleOf } from "./watch.ts";

const START_MS = 60_000;
const STOP_MS = 60_000;
const SETTLE_MS = 20_000;

function script(name: string): string {
  return new URL(name, import.meta.url).href;
}

/** Lines that a process may write: the application fails on purpose. */
const EXPECTED =
  /The application fails? as it should|The application failed|^ {4,}at |Worker \d+ (has ended|is ready|is replaced)|x-asgi \S+ (starts|serves)|Listening on|Received SIG|Workers wanted/;

/** A process whose stderr is kept. */
class Soaked {
  readonly process: Deno.ChildProcess;
  readonly #stderr: Promise<string>;

  constructor(args: readonly string[]) {
    this.process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#stderr = new Response(this.process.stderr).text();
  }

  /** Resolves with all that it has written to stderr, once it has ended. */
  get stderr(): Promise<string> {
    return this.#stderr;
  }

  /** What is wrong with how it ended. */
  async faults(name: string): Promise<string[]> {
    const faults: string[] = [];
    const { process } = this;
    const status = await bounded(process.status, `the end of ${name}`, STOP_MS)
      .catch(() => undefined);
    if (status === undefined) {
      process.kill("SIGKILL");
      await process.status;
      faults.push(`${name} does not end`);
    } else if (!status.success) {
      faults.push(`${name} ends with ${status.signal ?? status.code}`);
    }
    const lines = (await this.#stderr).split("\n").filter((line) =>
      line !== ""
    );
    for (const line of lines) {
      if (!EXPECTED.test(line)) faults.push(`${name} writes: ${line}`);
    }
    return faults;
  }

  kill(): void {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

/** A server in one process. */
export class SoakedServer implements AsyncDisposable {
  /** Over TCP and over TLS. */
  readonly targets: readonly Target[];
  readonly #soaked: Soaked;

  private constructor(soaked: Soaked, targets: readonly Target[]) {
    this.#soaked = soaked;
    this.targets = targets;
  }

  static async start({ cert, key }: TestCertificate): Promise<SoakedServer> {
    const soaked = new Soaked([script("./server.ts"), cert, key]);
    const line = await firstLineOf(soaked.process.stdout);
    const [port, tlsPort] = JSON.parse(line);
    return new SoakedServer(soaked, [
      { port, restarts: false },
      { port: tlsPort, cert, restarts: false },
    ]);
  }

  sample(): Promise<Sample> {
    return sampleOf(this.#soaked.process.pid);
  }

  /** The connections that it still holds, when their clients are long gone. */
  async connectionsLeft(): Promise<number> {
    const count = () =>
      networkSocketsOf(this.#soaked.process.pid) - this.targets.length;
    for (const end = Date.now() + SETTLE_MS; Date.now() < end;) {
      if (count() === 0) return 0;
      await pause(200);
    }
    return count();
  }

  /** Shuts it down; what was wrong. */
  async stop(): Promise<string[]> {
    await this.#soaked.process.stdin.close();
    return await this.#soaked.faults("the server");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#soaked.kill();
    await this.#soaked.process.status;
  }
}

/** The command with two workers. */
export class SoakedWorkers implements AsyncDisposable {
  readonly target: Target;
  readonly #soaked: Soaked;

  private constructor(soaked: Soaked, port: number) {
    this.#soaked = soaked;
    this.target = { port, restarts: true };
  }

  static async start(): Promise<SoakedWorkers> {
    const port = freePort();
    const soaked = new Soaked([
      ...[script("../../src/cli.ts"), script("./app.ts")],
      ...["--workers=2", `--port=${port}`, "--access-log=off"],
    ]);
    const end = Date.now() + START_MS;
    while (!await isListening(port)) {
      if (Date.now() > end) {
        soaked.kill();
        throw new Error(`The workers do not start:\n${await soaked.stderr}`);
      }
      await pause(100);
    }
    return new SoakedWorkers(soaked, port);
  }

  /** Replaces the workers one after the other. */
  restart(): void {
    this.#soaked.process.kill("SIGHUP");
  }

  /** Shuts it down; what was wrong. */
  async stop(): Promise<string[]> {
    const { pid } = this.#soaked.process;
    const children = await childrenOf(pid);
    this.#soaked.process.kill("SIGTERM");
    const faults = await this.#soaked.faults("the command");
    for (const child of children) {
      if (await isRunning(child)) faults.push(`worker ${child} is left`);
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#soaked.kill();
    await this.#soaked.process.status;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split(" ").filter((word) => word !== "").map(Number);
}

async function isRunning(pid: number): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}

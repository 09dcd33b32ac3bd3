// The command with workers: a process with an application in a folder of its
// own, killed at the end with all that it has started.

import { netTest, until } from "../e2e/_testing.ts";
import { type ProcessOptions, TestProcess } from "../_process.ts";

const COMMAND = new URL("../../src/cli.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

const LOG_TIMEOUT_MS = 20_000;

/**
 * An application that answers with its process id, at /slow after a while; it
 * prints that it was asked there.
 */
export const PID_APP = `
export default async function app(scope, _receive, send) {
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  if (scope.path === "/slow") {
    console.error("is asked for /slow");
    await new Promise((r) => setTimeout(r, 300));
  }
  const body = String(Deno.pid);
  const headers = [["content-length", String(body.length)]];
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body });
}
`;

/** Declares a test that starts processes, and finds them in /proc. */
export function processTest(name: string, fn: () => Promise<void>): void {
  netTest(name, fn, {
    permissions: ["read", "write", "run", "env"],
    lacks: Deno.build.os === "linux" ? undefined : "it needs Linux",
  });
}

/** How the command is started. */
export interface CommandOptions extends Pick<ProcessOptions, "env"> {
  /** The permissions that it is given. Default: all. */
  readonly permissions?: readonly string[];
  /** The arguments that say where to listen. Default: a free port. */
  readonly listen?: readonly string[];
  /** Other files of the application: their names and texts. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it gets a terminal, which is closed when it is killed. */
  readonly terminal?: boolean;
}

/** The command, running. */
export class CommandProcess extends TestProcess {
  /** The folder of the application. */
  readonly folder: string;

  private constructor(
    folder: string,
    command: readonly string[],
    options: ProcessOptions,
  ) {
    super(command, options);
    this.folder = folder;
  }

  /** Starts it with the text of an application, and arguments. */
  static async start(
    app: string,
    args: readonly string[],
    {
      permissions = ["-A"],
      listen = ["--port=0"],
      files = {},
      env = {},
      terminal = false,
    }: CommandOptions = {},
  ): Promise<CommandProcess> {
    const folder = await Deno.makeTempDir();
    for (const [name, text] of Object.entries({ ...files, "app.ts": app })) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const command = [
      ...[Deno.execPath(), "run", "--no-check", "--no-prompt"],
      ...["--config", CONFIG.pathname],
      ...[...permissions, COMMAND.href, `${folder}/app.ts`],
      ...[...listen, "--access-log=off", "--log-level=debug", ...args],
    ];
    return new CommandProcess(
      folder,
      terminal ? onTerminal(command) : command,
      { env },
    );
  }

  /** What it has logged so far. */
  get log(): string {
    return this.output.stderr;
  }

  /** The URL that it listens on, once it has said so. */
  get url(): string {
    const [url] = /http:\/\/127\.0\.0\.1:[0-9]+\//.exec(this.log) ?? [];
    if (url === undefined) throw new Error(`No URL in: ${this.log}`);
    return url;
  }

  /** How many times it has logged this. */
  count(pattern: RegExp): number {
    return this.log.match(new RegExp(pattern, "g"))?.length ?? 0;
  }

  /** Waits until it has logged this a number of times, but not for ever. */
  async logs(pattern: RegExp, times = 1): Promise<void> {
    const end = performance.now() + LOG_TIMEOUT_MS;
    await until(() => this.count(pattern) >= times || performance.now() > end);
    if (this.count(pattern) >= times) return;
    throw new Error(`Cannot find ${pattern} in the log:\n${this.log}`);
  }

  /**
   * Waits until so many workers have become ready since the start. They and
   * their supervisor say so, in whichever order.
   */
  async workersReady(times: number): Promise<void> {
    await this.logs(/Worker [0-9]+ is ready/, times);
    await this.logs(/ serves \S+ at /, times);
  }

  /** The process ids of the workers that were started so far. */
  get workers(): number[] {
    return [...this.log.matchAll(/Worker ([0-9]+) is ready/g)]
      .map(([, pid]) => Number(pid));
  }

  /** Replaces a file of the application, as editors do: by renaming. */
  async write(name: string, text: string): Promise<void> {
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
  }

  /** The answer to a request on a connection of its own. */
  async get(path = ""): Promise<string> {
    const response = await fetch(this.url + path, {
      headers: { connection: "close" },
    });
    return await response.text();
  }

  /** Kills it with all its workers, and removes its folder. */
  override async [Symbol.asyncDispose](): Promise<void> {
    kill(this.pid);
    await this.exitCode();
    for (const pid of this.workers) kill(pid);
    for (const pid of processesWith(this.folder)) kill(pid);
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Runs a command on a terminal; what it prints there is on stderr. */
function onTerminal(command: readonly string[]): string[] {
  const script = 'exec script -qec "$1" /dev/null >&2';
  return ["sh", "-c", script, "sh", command.join(" ")];
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

/** The process ids of those that have this in their command line. */
export function processesWith(text: string): number[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => isAlive(pid) && commandLineOf(pid).includes(text));
}

function commandLineOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

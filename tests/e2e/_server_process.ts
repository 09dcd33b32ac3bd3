// A server in a process of its own (`_server.ts`), and what the system says of
// that process. Where there is no /proc, nothing can be said of it.

import { toText } from "@std/streams";
import { RawClient } from "./_raw_client.ts";
import { bounded, granted } from "./_testing.ts";

const SCRIPT = new URL("./_server.ts", import.meta.url);

/** Why a process cannot be watched here; `undefined` where it can. */
export function lacksProc(): string | undefined {
  if (!granted("read")) return undefined; // Ignored for that.
  try {
    Deno.statSync("/proc/self/status");
    return undefined;
  } catch {
    return "there is no /proc to be read here";
  }
}

/** How a server's process is started. */
export interface ServerProcessOptions {
  /** The program; it prints a line when it listens. Default: `_server.ts`. */
  readonly script?: URL;
  /** Its arguments. */
  readonly args?: readonly string[];
  /** Flags for V8. */
  readonly v8Flags?: readonly string[];
  /** Whether what it prints to stderr is kept, and not shown. */
  readonly keepsErrors?: boolean;
}

/** A server that runs in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  /** What it has printed when it came to listen. */
  readonly firstLine: string;

  readonly #process: Deno.ChildProcess;
  readonly #errors: Promise<string>;

  private constructor(
    process: Deno.ChildProcess,
    firstLine: string,
    errors: Promise<string>,
  ) {
    this.#process = process;
    this.firstLine = firstLine;
    this.#errors = errors;
  }

  /** Starts `_server.ts`; V8 is given flags, if there are any. */
  static start(...v8Flags: string[]): Promise<ServerProcess> {
    return ServerProcess.spawn({ v8Flags });
  }

  /** Starts any program that prints a line, and ends when its stdin does. */
  static async spawn({
    script = SCRIPT,
    args = [],
    v8Flags = [],
    keepsErrors = false,
  }: ServerProcessOptions): Promise<ServerProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-net", "--no-check"],
        ...v8Flags.map((flag) => `--v8-flags=${flag}`),
        script.href,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: keepsErrors ? "piped" : "inherit",
    }).spawn();
    const errors = keepsErrors ? toText(process.stderr) : Promise.resolve("");
    const line = await bounded(
      firstLineOf(process.stdout),
      "the server's start",
    );
    return new ServerProcess(process, line, errors);
  }

  /** The port of the URL that it has printed. */
  get port(): number {
    return Number(new URL(this.firstLine).port);
  }

  /** Connects a client to it. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** What a GET of a path is answered. */
  async get(path: string): Promise<string> {
    using client = await this.connect();
    await client.get(path, "connection: close");
    return (await client.readResponse()).body;
  }

  /** The memory that it holds, in bytes. */
  async residentBytes(): Promise<number> {
    const path = `/proc/${this.#process.pid}/status`;
    const status = await Deno.readTextFile(path);
    const [, kibibytes] = /^VmRSS:\s*([0-9]+) kB$/m.exec(status) ?? [];
    return Number(kibibytes) * 1024;
  }

  /** The number of network sockets that it holds; its listener is one. */
  networkSockets(): number {
    return networkSocketsOf(this.#process.pid);
  }

  /** Sends the process a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Shuts the server down; whether the process then ends by itself. */
  async stop(): Promise<boolean> {
    await this.#process.stdin.close();
    return (await bounded(this.#process.status, "the process to end")).success;
  }

  /** What it has printed to stderr, once it has ended. */
  errors(): Promise<string> {
    return this.#errors;
  }

  /** Ends the process if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close().catch(() => {});
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#errors;
  }
}

/** The number of network sockets that a process holds. */
export function networkSocketsOf(pid: number): number {
  const folder = `/proc/${pid}`;
  const local = Deno.readTextFileSync(`${folder}/net/unix`);
  let count = 0;
  for (const { name } of Deno.readDirSync(`${folder}/fd`)) {
    const inode = inodeOfSocket(`${folder}/fd/${name}`);
    // The runtime talks to itself over unix sockets.
    if (inode !== undefined && !local.includes(` ${inode}\n`)) count++;
  }
  return count;
}

/** The inode of an open file that is a socket. */
function inodeOfSocket(path: string): string | undefined {
  try {
    return /^socket:\[([0-9]+)\]$/.exec(Deno.readLinkSync(path))?.[1];
  } catch {
    return undefined; // Closed meanwhile.
  }
}

/** The first line of a stream, the rest of which is dropped. */
export async function firstLineOf(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  let text = "";
  for await (
    const part of stream.pipeThrough(
      new TextDecoderStream() as TransformStream<Uint8Array, string>,
    )
  ) {
    text += part;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0];
}

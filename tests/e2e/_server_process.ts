// A server in a process of its own (`_server.ts`), and what the system says of
// that process. Where there is no /proc, nothing can be said of it.

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

/** A server that runs in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;

  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Starts one; V8 is given flags, if there are any. */
  static async start(...v8Flags: string[]): Promise<ServerProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-net", "--no-check"],
        ...v8Flags.map((flag) => `--v8-flags=${flag}`),
        SCRIPT.href,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const url = await bounded(readLine(process.stdout), "the server's start");
    return new ServerProcess(process, Number(new URL(url).port));
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

  /** Ends the process if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close().catch(() => {});
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
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
async function readLine(stream: ReadableStream<Uint8Array>): Promise<string> {
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

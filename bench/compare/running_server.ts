/**
 * A server that runs, on cores of its own: it is started, asked until it
 * answers, watched, and killed by its process id.
 *
 * @module
 */

import { cpuSeconds, killTree, residentBytes } from "./proc.ts";
import type { Place, ServerKind } from "./servers.ts";
import type { Tools } from "./tools.ts";
import { freePort } from "../../tests/_ports.ts";

const START_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS = 1;
const MAX_SAID = 2_000;
const PROBE = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
);

/** The servers that run, so that none outlives this process. */
const running = new Set<RunningServer>();

/** Kills all servers. */
export function killServers(): void {
  for (const server of running) killTree(server.pid);
}

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** How a server is started. */
export interface StartOptions {
  /** Whether it serves over TLS. Default: `false`. */
  readonly tls?: boolean | undefined;
  /** Whether it is asked over HTTP/2. Default: `false`. */
  readonly http2?: boolean | undefined;
  /** The cores that it runs on. */
  readonly cores: readonly number[];
}

/** A server that answers. */
export class RunningServer implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly tls: boolean;
  /** Whether it is asked over HTTP/2. */
  readonly http2: boolean;
  /** How long it took to the first answer, in milliseconds. */
  startupTime = NaN;

  readonly #process: Deno.ChildProcess;
  readonly #certificate: string;
  readonly #said: Promise<string>;
  #ended = false;

  private constructor(
    process: Deno.ChildProcess,
    { name }: ServerKind,
    { port, tls, http2 }: Place & { http2: boolean },
    tools: Tools,
  ) {
    this.name = name;
    this.port = port;
    this.tls = tls;
    this.http2 = http2;
    this.#process = process;
    this.#certificate = Deno.readTextFileSync(tools.certificate);
    this.#said = startOf(process.stderr);
    const ended = (): void => {
      this.#ended = true;
    };
    process.status.then(ended, ended);
    running.add(this);
  }

  /**
   * Starts a server, and waits for its first answer.
   *
   * @throws {Error} If it ends, or does not answer in time.
   */
  static async start(
    kind: ServerKind,
    tools: Tools,
    { tls = false, http2 = false, cores }: StartOptions,
  ): Promise<RunningServer> {
    const place = { port: freePort(), tls, http2 };
    const { program, args, env } = kind.command(place, tools);
    const began = performance.now();
    const process = new Deno.Command("taskset", {
      args: ["-c", cores.join(","), program, ...args],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const server = new RunningServer(process, kind, place, tools);
    try {
      await server.#answers();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    server.startupTime = performance.now() - began;
    return server;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Where it serves, without a "/" at the end. */
  get origin(): string {
    return `${this.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** The processor time that it has used, in seconds. */
  cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  /** The memory that it holds, in bytes. */
  residentBytes(): number {
    return residentBytes(this.pid);
  }

  /** Sends one request. */
  async request(path: string, body?: Uint8Array<ArrayBuffer>): Promise<Answer> {
    using client = Deno.createHttpClient({
      caCerts: [this.#certificate],
      http1: !this.http2,
      http2: this.http2,
    });
    const response = await fetch(this.origin + path, {
      client,
      ...body === undefined ? {} : { method: "POST", body },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, body: await response.bytes() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killTree(this.pid);
    running.delete(this);
    await this.#process.status;
    await this.#said;
  }

  /** Asks until there is an answer. */
  async #answers(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!await this.#answersOnce()) {
      if (this.#ended) {
        const lastWords = (await this.#said).trim().split("\n").at(-1);
        throw new Error(`it ended: ${lastWords || "silently"}`);
      }
      if (performance.now() > deadline) {
        throw new Error(`no answer within ${START_TIMEOUT_MS} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #answersOnce(): Promise<boolean> {
    if (!this.http2) return await this.#answersHttp1();
    try {
      return (await this.request("/")).status === 200;
    } catch {
      return false;
    }
  }

  async #answersHttp1(): Promise<boolean> {
    let conn: Deno.Conn | undefined;
    try {
      conn = await this.#connect();
      await conn.write(PROBE);
      const buffer = new Uint8Array(1024);
      const length = await conn.read(buffer) ?? 0;
      const start = new TextDecoder().decode(buffer.subarray(0, length));
      return start.startsWith("HTTP/1.1 200");
    } catch {
      return false;
    } finally {
      conn?.close();
    }
  }

  #connect(): Promise<Deno.Conn> {
    const address = { hostname: "127.0.0.1", port: this.port };
    if (!this.tls) return Deno.connect(address);
    return Deno.connectTls({ ...address, caCerts: [this.#certificate] });
  }
}

/** The start of what a process says; the rest is read, and dropped. */
async function startOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MAX_SAID) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, MAX_SAID);
}

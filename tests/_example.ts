// An example as a user runs it: in a process of its own, on a free port, ended
// by Ctrl-C. What it prints is kept; nothing of it outlives its test.

import { RawClient } from "./e2e/_raw_client.ts";
import { bounded, netTest } from "./e2e/_testing.ts";

const ROOT = new URL("..", import.meta.url);
const STEP_TIMEOUT_MS = 20_000;

/** What is left of a process that has ended. */
export interface Ended {
  /** Its exit code; 128 and more if a signal ended it. */
  readonly code: number;
  /** What it has printed to stdout. */
  readonly stdout: string;
  /** What it has printed to stderr. */
  readonly stderr: string;
}

/** How an example is started. */
export interface ExampleOptions {
  /** Arguments of `deno run` before the example's path. Default: `-A`. */
  readonly args?: readonly string[];
  /** More variables of its environment; `PORT` is "0" unless it is given. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many files, sockets among them, it may have open at once. */
  readonly maxOpenFiles?: number;
}

/** Declares a test that starts a process of an example. */
export function exampleTest(name: string, fn: () => Promise<void>): void {
  netTest(name, fn, {
    permissions: ["read", "run", "env", "write"],
    lacks: Deno.build.os === "windows"
      ? "processes cannot be interrupted by others here"
      : undefined,
  });
}

/** A running example. */
export class Example implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #printing: Promise<unknown>;
  readonly #printed = { stdout: "", stderr: "" };
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #url = "";

  private constructor(
    name: string,
    { args = ["-A"], env, maxOpenFiles }: ExampleOptions,
  ) {
    const command = [Deno.execPath(), "run", ...args, `examples/${name}`];
    if (maxOpenFiles !== undefined) {
      const limited = `ulimit -n ${maxOpenFiles} && exec "$0" "$@"`;
      command.unshift("sh", "-c", limited);
    }
    this.#process = new Deno.Command(command[0], {
      args: command.slice(1),
      cwd: ROOT,
      env: { NO_COLOR: "1", PORT: "0", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#printing = Promise.all([this.#keep("stdout"), this.#keep("stderr")])
      .then(() => {
        this.#ended = true;
        this.#changed.resolve();
      });
  }

  /** Starts an example, which need not come to listen. */
  static spawn(name: string, options: ExampleOptions = {}): Example {
    return new Example(name, options);
  }

  /** Starts an example, and waits until it has printed its URL. */
  static async start(name: string, options?: ExampleOptions): Promise<Example> {
    const example = Example.spawn(name, options);
    try {
      const url = /http:\/\/127\.0\.0\.1:[1-9][0-9]*\//;
      example.#url = await example.printed(url);
      return example;
    } catch (error) {
      await example[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL that it has printed. */
  get url(): string {
    return this.#url;
  }

  /** Connects a client to it. */
  connect(): Promise<RawClient> {
    return RawClient.connect(Number(new URL(this.#url).port));
  }

  /** Waits until it has printed something that matches, to either stream. */
  printed(pattern: RegExp): Promise<string> {
    return bounded(this.#match(pattern), `${pattern}`, STEP_TIMEOUT_MS);
  }

  /** Waits until it has ended. */
  async end(): Promise<Ended> {
    const { code } = await bounded(
      this.#process.status,
      "the example to end",
      STEP_TIMEOUT_MS,
    );
    await this.#printing;
    return { code, ...this.#printed };
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Does what Ctrl-C does, and waits until it has ended. */
  interrupt(): Promise<Ended> {
    this.kill("SIGINT");
    return this.end();
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#printing;
  }

  async #match(pattern: RegExp): Promise<string> {
    for (;;) {
      const { stdout, stderr } = this.#printed;
      const match = pattern.exec(stdout) ?? pattern.exec(stderr);
      if (match !== null) return match[0];
      if (this.#ended) {
        throw new Error(`Cannot find ${pattern} in:\n${stdout}${stderr}`);
      }
      await this.#changed.promise;
    }
  }

  async #keep(name: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#process[name]) {
      this.#printed[name] += decoder.decode(bytes, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

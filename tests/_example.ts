// An example as a user runs it: in a process of its own, on a free port, ended
// by Ctrl-C.

import { RawClient } from "./e2e/_raw_client.ts";
import { netTest } from "./e2e/_testing.ts";
import { type Ended, TestProcess } from "./_process.ts";

const ROOT = new URL("..", import.meta.url);

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
export class Example extends TestProcess {
  #url = "";

  /** Starts an example, and waits until it has printed its URL. */
  static async start(name: string, options?: ExampleOptions): Promise<Example> {
    const example = Example.spawn(name, options);
    try {
      const url = /http:\/\/127\.0\.0\.1:[1-9][0-9]*\//;
      [example.#url] = await example.printed(url);
      return example;
    } catch (error) {
      await example[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts an example, which need not come to listen. */
  static spawn(
    name: string,
    { args = ["-A"], env, maxOpenFiles }: ExampleOptions = {},
  ): Example {
    const command = [Deno.execPath(), "run", ...args, `examples/${name}`];
    if (maxOpenFiles !== undefined) {
      const limited = `ulimit -n ${maxOpenFiles} && exec "$0" "$@"`;
      command.unshift("sh", "-c", limited);
    }
    return new Example(command, {
      cwd: ROOT,
      env: { NO_COLOR: "1", PORT: "0", ...env },
    });
  }

  /** The URL that it has printed. */
  get url(): string {
    return this.#url;
  }

  /** Connects a client to it. */
  connect(): Promise<RawClient> {
    return RawClient.connect(Number(new URL(this.#url).port));
  }

  /** Does what Ctrl-C does, and waits until it has ended. */
  interrupt(): Promise<Ended> {
    this.kill("SIGINT");
    return this.end();
  }
}

// The command as a user runs it: a process of its own, in a folder of its own
// with the application's files. What it prints is kept; nothing of it outlives
// its test.

import { fileURLToPath } from "node:url";
import { bounded, netTest } from "../e2e/_testing.ts";
import { unawaited } from "../_unawaited.ts";

const ROOT = new URL("../..", import.meta.url);
const CONFIG = fileURLToPath(new URL("deno.json", ROOT));
const COMMAND = new URL("src/cli.ts", ROOT).href;
const STEP_TIMEOUT_MS = 20_000;

/** Where an application's modules find what they import. */
export const LIBRARY = new URL("mod.ts", ROOT).href;

/** Declares a test that starts processes of the command. */
export function commandTest(
  name: string,
  fn: () => Promise<void>,
  lacks?: string,
): void {
  netTest(`command: ${name}`, fn, {
    permissions: ["read", "write", "run", "env"],
    lacks: lacks ??
      (Deno.build.os === "windows"
        ? "processes cannot be interrupted by others here"
        : undefined),
  });
}

/** What is left of a process that has ended. */
export interface Ended {
  /** Its exit code; 128 and more if a signal ended it. */
  readonly code: number;
  /** What it has printed to stdout. */
  readonly stdout: string;
  /** What it has printed to stderr. */
  readonly stderr: string;
}

/** How the command is started. */
export interface CommandOptions {
  /** Its working directory, with the application. */
  readonly cwd: string;
  /** Arguments of `deno run`. Default: `-A`. */
  readonly permissions?: readonly string[];
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is not read until `readOn()` is called. Default: nothing. */
  readonly unread?: "stdout" | "stderr";
  /** What a shell does before it becomes the command. Default: nothing. */
  readonly shell?: string;
}

/** Makes a folder with these files, and removes it at the end. */
export async function folder(
  files: Readonly<Record<string, string>>,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Runs the command until it ends by itself. */
export async function run(
  args: readonly string[],
  options: CommandOptions,
): Promise<Ended> {
  await using command = new Command(args, options);
  return await command.end();
}

/** A running command. */
export class Command implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #printed = { stdout: "", stderr: "" };
  readonly #printing: Promise<unknown>;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  readonly #hangUp = new AbortController();
  readonly #readOn = Promise.withResolvers<void>();

  /** Starts it. */
  constructor(
    args: readonly string[],
    { cwd, permissions = ["-A"], env, unread, shell }: CommandOptions,
  ) {
    const config = ["--no-prompt", "--config", CONFIG];
    const [program, ...rest] = [
      ...shell === undefined ? [] : ["sh", "-c", `${shell}; exec "$0" "$@"`],
      ...[Deno.execPath(), "run", ...permissions, ...config, COMMAND, ...args],
    ];
    this.#process = new Deno.Command(program, {
      args: rest,
      cwd,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (unread === undefined) this.#readOn.resolve();
    const start = (name: "stdout" | "stderr"): Promise<void> =>
      name === unread ? this.#readOn.promise : Promise.resolve();
    this.#printing = Promise.all([
      start("stdout").then(() => this.#keep("stdout")),
      start("stderr").then(() => this.#keep("stderr")),
    ])
      .then(() => {
        this.#ended = true;
        this.#changed.resolve();
      });
  }

  /** Waits until it has printed what `pattern` matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return bounded(this.#match(pattern), `${pattern}`, STEP_TIMEOUT_MS);
  }

  /** Waits until it listens at an `http:` URL. */
  async url(): Promise<string> {
    return (await this.printed(/http:\S+\//))[0];
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** What it has printed so far. */
  get output(): { readonly stdout: string; readonly stderr: string } {
    return this.#printed;
  }

  /** Reads what was not read until now. */
  readOn(): void {
    this.#readOn.resolve();
  }

  /** Closes both streams that it prints to. */
  async readNoMore(): Promise<void> {
    this.#hangUp.abort();
    await this.#printing;
  }

  /** Waits until it has ended. */
  async end(): Promise<Ended> {
    const code = await this.exitCode();
    await this.#printing;
    return { code, ...this.#printed };
  }

  /** Its exit code, when it has ended. */
  async exitCode(): Promise<number> {
    const { code } = await bounded(
      this.#process.status,
      `the command to end, which printed:\n${this.#printed.stderr}`,
      STEP_TIMEOUT_MS,
    );
    return code;
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    this.readOn();
    await this.#printing;
  }

  async #match(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const { stdout, stderr } = this.#printed;
      const match = pattern.exec(stdout) ?? pattern.exec(stderr);
      if (match !== null) return match;
      if (this.#ended) {
        throw new Error(`Cannot find ${pattern} in:\n${stdout}${stderr}`);
      }
      await this.#changed.promise;
    }
  }

  async #keep(name: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    const reader = this.#process[name].getReader();
    const { signal } = this.#hangUp;
    const cancel = (): void => unawaited(reader.cancel());
    signal.addEventListener("abort", cancel, { once: true });
    for (let read; !(read = await reader.read()).done;) {
      this.#printed[name] += decoder.decode(read.value, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

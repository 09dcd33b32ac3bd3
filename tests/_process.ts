// A process of a test: what it prints is kept, waits for it are bounded, and it
// does not outlive its test.

import { bounded } from "./e2e/_testing.ts";
import { unawaited } from "./_unawaited.ts";

const STEP_TIMEOUT_MS = 20_000;

/** A stream that a process prints to. */
export type Output = "stdout" | "stderr";

/** The result of a process that has ended. */
export interface Ended {
  /** Its exit code; 128 and more if a signal ended it. */
  readonly code: number;
  /** What it has printed to stdout. */
  readonly stdout: string;
  /** What it has printed to stderr. */
  readonly stderr: string;
}

/** How a process is started. */
export interface ProcessOptions {
  /** Its working directory. Default: that of the tests. */
  readonly cwd?: string | URL | undefined;
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What is not read until `readOn()` is called. Default: nothing. */
  readonly unread?: Output | undefined;
}

/** A running process. */
export class TestProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #printed = { stdout: "", stderr: "" };
  readonly #printing: Promise<unknown>;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  readonly #hangUp = new AbortController();
  readonly #readOn = Promise.withResolvers<void>();

  /** Starts a command: a program and its arguments. */
  constructor(
    [program, ...args]: readonly string[],
    { cwd, env, unread }: ProcessOptions = {},
  ) {
    this.#process = new Deno.Command(program, {
      args,
      cwd,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (unread === undefined) this.#readOn.resolve();
    const keep = async (name: Output): Promise<void> => {
      if (name === unread) await this.#readOn.promise;
      await this.#keep(name);
    };
    this.#printing = Promise.all([keep("stdout"), keep("stderr")]).then(() => {
      this.#ended = true;
      this.#changed.resolve();
    });
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** What it has printed so far. */
  get output(): { readonly stdout: string; readonly stderr: string } {
    return this.#printed;
  }

  /** Waits until it has printed a match of `pattern`, to either stream. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return bounded(this.#match(pattern), `${pattern}`, STEP_TIMEOUT_MS);
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
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
  async end(timeoutMs = STEP_TIMEOUT_MS): Promise<Ended> {
    const code = await this.exitCode(timeoutMs);
    await this.#printing;
    return { code, ...this.#printed };
  }

  /** Its exit code, when it has ended. */
  async exitCode(timeoutMs = STEP_TIMEOUT_MS): Promise<number> {
    const { code } = await bounded(
      this.#process.status,
      `the process to end, which printed:\n${this.#printed.stderr}`,
      timeoutMs,
    );
    return code;
  }

  /** Kills it, if it still runs. */
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

  async #keep(name: Output): Promise<void> {
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

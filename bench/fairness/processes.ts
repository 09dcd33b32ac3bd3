/**
 * The processes of the benchmark: servers on one core, and all that loads them
 * on another, where the system can distinguish them. Each is killed by its id.
 *
 * @module
 */

import { firstLine, outputOf } from "../compare/machine.ts";
import type { ATTACKS } from "./attacker.ts";
import { isAnswered } from "./probe.ts";

const SERVER_CORE = 0;
const LOAD_CORE = 1;
/** The probe must not wait for the attacker, with which it shares a core. */
const ATTACKER_NICENESS = "10";
const START_TIMEOUT_MS = 20_000;
const RETRY_MS = 20;

/** A server that can be attacked. */
export interface Contender {
  readonly name: string;
  /** Whether it is held to the targets. */
  readonly isOurs: boolean;
  readonly speaksWebSocket: boolean;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What runs now, so that nothing outlives this process. */
const running = new Set<Deno.ChildProcess>();
let hasTaskset = false;

/** Kills all that was started and still runs. */
export function killAll(): void {
  for (const child of running) kill(child);
}

/** Puts this process on the core of the load, where that can be done. */
export async function pinSelf(): Promise<void> {
  const cores = navigator.hardwareConcurrency;
  const place = ["-a", "-c", "-p", String(LOAD_CORE), String(Deno.pid)];
  hasTaskset = cores > LOAD_CORE &&
    await outputOf("taskset", ...place) !== undefined;
}

/** The servers that there are here. */
export async function findContenders(): Promise<Contender[]> {
  const ours = {
    isOurs: true,
    speaksWebSocket: true,
    program: Deno.execPath(),
    args: ["run", "-A", "--no-check", pathOf("../compare/apps/x_asgi.ts")],
  };
  const contenders: Contender[] = [
    { name: "x-asgi", ...ours, env: { DENO_TOKIO_EVENT_INTERVAL: "1" } },
    { name: "x-asgi, variable not set", ...ours, env: {} },
  ];
  if (await firstLine("node", "--version") === undefined) return contenders;
  return [...contenders, {
    name: "node:http",
    isOurs: false,
    speaksWebSocket: false,
    program: "node",
    args: [pathOf("../compare/apps/node_http.mjs")],
    env: {},
  }];
}

function pathOf(path: string): string {
  return new URL(path, import.meta.url).pathname;
}

/** A process that is killed at the end of its scope. */
export class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(
    program: string,
    args: readonly string[],
    options: Deno.CommandOptions,
  ) {
    this.#child = new Deno.Command(program, { args: [...args], ...options })
      .spawn();
    running.add(this.#child);
  }

  /**
   * Starts a server, and waits for its first answer.
   *
   * @throws {Error} If it does not answer in time.
   */
  static async server(
    { name, program, args, env }: Contender,
    port: number,
  ): Promise<Running> {
    const command = pinned(SERVER_CORE, [program, ...args]);
    const server = new Running(command[0], command.slice(1), {
      env: { ...inherited(), NO_COLOR: "1", ...env, PORT: String(port) },
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    const end = performance.now() + START_TIMEOUT_MS;
    while (!await isAnswered(port)) {
      if (performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      await server[Symbol.asyncDispose]();
      throw new Error(`Cannot measure: ${name} does not answer`);
    }
    return server;
  }

  /** Starts to attack a server; resolves when the first connections are opened. */
  static async attacker(
    name: keyof typeof ATTACKS,
    port: number,
  ): Promise<Running> {
    const program = [
      ...[Deno.execPath(), "run", "--allow-net", "--no-check", "--no-config"],
      ...[pathOf("attacker.ts"), String(port), name],
    ];
    const args = ["-n", ATTACKER_NICENESS, ...pinned(LOAD_CORE, program)];
    const attacker = new Running("nice", args, {
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    });
    const reader = attacker.#child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    return attacker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    kill(this.#child);
    await this.#child.status;
    running.delete(this.#child);
  }
}

/** A command line that runs on a core, where that can be said. */
function pinned(core: number, command: readonly string[]): string[] {
  return hasTaskset
    ? ["taskset", "-c", String(core), ...command]
    : [...command];
}

/** Without the variable that is measured. */
function inherited(): Record<string, string> {
  const { DENO_TOKIO_EVENT_INTERVAL: _, ...env } = Deno.env.toObject();
  return env;
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

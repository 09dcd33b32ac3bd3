// Clients of others that a test runs to their end: what they print, and where
// their interpreters and packages are.

import { assertEquals } from "@std/assert";
import { granted } from "../e2e/_testing.ts";

const TIMEOUT_MS = 25_000;
const PEERS = new URL("peers/", import.meta.url);

/** How a program is run. */
export interface RunOptions {
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take, in milliseconds. Default: 25 seconds. */
  readonly timeoutMs?: number;
}

/** What became of a program. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. */
export async function run(
  program: string,
  args: readonly string[],
  { env = {}, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { no_proxy: "127.0.0.1,localhost", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(timeoutMs),
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs a program that must succeed; what it printed. */
export async function runWell(
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  assertEquals(code, 0, `${program} exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

/** The path of a program in `peers/`. */
export function peerPath(name: string): string {
  return new URL(name, PEERS).pathname;
}

/** Whether a program exits with 0; `false` if it can't be run. */
export function succeeds(program: string, ...args: string[]): boolean {
  if (!granted("run")) return true; // Ignored for that.
  try {
    const { success } = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

/** Where the benchmarks keep packages, which tests use but never fetch. */
export function benchmarkPackages(): string {
  if (!granted("env")) return "";
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return `${XDG_CACHE_HOME ?? `${HOME ?? "/tmp"}/.cache`}/x-asgi-bench`;
}

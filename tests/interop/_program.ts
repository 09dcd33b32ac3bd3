// Programs of others that a test starts: whether they are installed, and how to
// wait until one listens.

import { bounded, granted, pause, until } from "../e2e/_testing.ts";
import { isListening } from "../_ports.ts";
import { unawaited } from "../_unawaited.ts";

const START_TIMEOUT_MS = 15_000;

/** Why a program cannot be started here; `undefined` if it can. */
export function lacksProgram(name: string): string | undefined {
  if (!granted("run")) return undefined; // Ignored for that.
  try {
    new Deno.Command(name, { args: ["-v"], stdout: "null", stderr: "null" })
      .outputSync();
    return undefined;
  } catch {
    return `${name} is not installed`;
  }
}

/** Starts a program, and waits until it listens on a port. */
export async function startProgram(
  name: string,
  args: string[],
  { port, ...user }: { port: number; uid?: number; gid?: number },
): Promise<Deno.ChildProcess> {
  const process = new Deno.Command(name, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
    ...user,
  }).spawn();
  let ended = false;
  unawaited(process.status.then(() => ended = true));
  const listening = until(async () => {
    if (ended || await isListening(port)) return true;
    await pause(20);
    return false;
  });
  try {
    await bounded(listening, `${name} to listen`, START_TIMEOUT_MS);
    if (ended) throw new Error(`Cannot start ${name}: see its output`);
    return process;
  } catch (error) {
    await endProgram(process, "SIGKILL");
    throw error;
  }
}

/** Ends a program, and waits until it has ended. */
export async function endProgram(
  process: Deno.ChildProcess,
  signal: Deno.Signal,
): Promise<void> {
  try {
    process.kill(signal);
  } catch {
    // It has ended.
  }
  await bounded(process.status, "the program to end", START_TIMEOUT_MS);
}

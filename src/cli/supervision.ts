/**
 * What all supervisors have in common: they start this command once more, and
 * obey signals.
 *
 * @module
 */

import { type DenoCommand, ownCommand } from "./deno_command.ts";
import { type Logs, openLogs } from "./logs.ts";
import { serveMetrics } from "./metrics_listener.ts";
import type { Settings } from "./settings.ts";
import { WorkerMetrics } from "./worker_metrics.ts";
import type { SpawnWorker } from "./worker_process.ts";

/** The command, for systems that do not say how this process was started. */
const COMMAND_MODULE = new URL("../cli.ts", import.meta.url).href;

/** Puts the count of what workers do around what starts them. */
export type WatchWorkers = (spawn: SpawnWorker) => SpawnWorker;

/** Signals and what to do about them. */
export type SignalHandlers = Partial<Record<Deno.Signal, () => void>>;

/**
 * Runs a supervisor, with the command line that starts this command once more.
 *
 * @returns The exit code.
 * @throws {MissingPermissionError} If that cannot be done.
 */
export async function runSupervisor(
  settings: Settings,
  args: readonly string[],
  run: (
    command: DenoCommand,
    logs: Logs,
    watch: WatchWorkers,
  ) => Promise<number>,
): Promise<number> {
  const logs = openLogs(settings);
  try {
    const command = ownCommand(args, COMMAND_MODULE);
    const { metrics } = settings;
    if (metrics === null) return await run(command, logs, (spawn) => spawn);
    const source = new WorkerMetrics(() => Deno.memoryUsage().rss);
    await using _listener = serveMetrics(metrics, source, logs.log);
    return await run(command, logs, (spawn) => source.watch(spawn));
  } finally {
    await logs.close();
  }
}

/** Listens to those of these signals that the system has. */
export function onSignals(handlers: SignalHandlers): Disposable {
  const listening = Object.entries(handlers) as [Deno.Signal, () => void][];
  const known = listening.filter(([signal]) =>
    Deno.build.os !== "windows" || ["SIGINT", "SIGHUP"].includes(signal)
  );
  for (const [signal, fn] of known) Deno.addSignalListener(signal, fn);
  return {
    [Symbol.dispose]: () => {
      for (const [signal, fn] of known) Deno.removeSignalListener(signal, fn);
    },
  };
}

/**
 * The supervisor: starts workers and keeps them, but serves nothing itself.
 * Its signals: SIGINT and SIGTERM stop (a second one at once), SIGHUP restarts
 * one worker after the other, SIGTTIN and SIGTTOU add and remove one.
 *
 * @module
 */

import type { LogRecord } from "../logs/records.ts";
import { DEFAULT_OPTIONS, type ServeOptions } from "../server/options.ts";
import { BackOff } from "./back_off.ts";
import { workerArguments } from "./deno_command.ts";
import { withHeartbeat } from "./heartbeat.ts";
import type { Settings } from "./settings.ts";
import { checkSharable, portsOf, tryAddresses } from "./shared_ports.ts";
import { onSignals, runSupervisor } from "./supervision.ts";
import { WorkerPool } from "./worker_pool.ts";
import { workerSpawner } from "./worker_process.ts";

/** What a worker may take to end besides draining, in milliseconds. */
const DRAIN_MARGIN_MS = 2000;

/**
 * Serves with the number of workers that the settings ask for.
 *
 * @param args The arguments of this process; workers get the same.
 * @returns The exit code.
 * @throws {MissingPermissionError} If workers cannot be started.
 * @throws {UsageError} If workers cannot share what they are to listen on.
 * @throws {Deno.errors.AddrInUse} If a port is taken.
 */
export function supervise(
  settings: Settings,
  args: readonly string[],
): Promise<number> {
  return runSupervisor(settings, args, async (command, { log }, watch) => {
    checkSharable(settings.serve);
    const ports = portsOf(tryAddresses(settings.serve));
    const start = { supervisor: Deno.pid, ports, reusePort: true };
    const spawn = withHeartbeat(
      workerSpawner(workerArguments(command, args), start),
      { timeout: settings.workerTimeout, log },
    );
    const pool = new WorkerPool({
      size: workerCount(settings.workers),
      spawn: watch(spawn),
      log,
      backOff: new BackOff(),
      drainTimeout: drainTimeout(settings.serve),
    });
    using _signals = listenToSignals(pool, log);
    return await pool.run();
  });
}

function workerCount(workers: Settings["workers"]): number {
  return workers === "auto" ? navigator.hardwareConcurrency : workers;
}

/** Responses may take so long, and then the application. */
function drainTimeout(serve: ServeOptions): number {
  const { shutdownTimeout } = { ...DEFAULT_OPTIONS, ...serve };
  return 2 * shutdownTimeout + DRAIN_MARGIN_MS;
}

function listenToSignals(
  pool: WorkerPool,
  log: (record: LogRecord) => void,
): Disposable {
  let stopped = false;
  const stop = (signal: string): void => {
    const what = stopped
      ? "cutting what is left"
      : "shutting down; another signal cuts what is left";
    log({ level: "info", message: `Received ${signal}: ${what}` });
    if (stopped) pool.kill();
    else pool.stop();
    stopped = true;
  };
  return onSignals({
    SIGINT: () => stop("SIGINT"),
    SIGTERM: () => stop("SIGTERM"),
    SIGHUP: () => pool.restart(),
    SIGTTIN: () => pool.grow(),
    SIGTTOU: () => pool.shrink(),
  });
}

/**
 * `--reload`: one worker, which is replaced when a file of the application
 * changes. Modules that cannot be read are told with file, line and column;
 * then the old worker serves on until a change mends them.
 *
 * @module
 */

import type { LogLevel, LogRecord } from "../logs/records.ts";
import { delay } from "../net/accept_loop.ts";
import { configFlags, workerArguments } from "./deno_command.ts";
import { EXIT_CODES } from "./errors.ts";
import { FileWatcher } from "./file_watcher.ts";
import { type ModuleGraph, readModuleGraph } from "./module_graph.ts";
import type { Settings } from "./settings.ts";
import { portsOf, tryAddresses } from "./shared_ports.ts";
import { onSignals, runSupervisor } from "./supervision.ts";
import {
  type SpawnWorker,
  type WorkerExit,
  type WorkerProcess,
  workerSpawner,
} from "./worker_process.ts";

/** What responses may take at a reload, in milliseconds. */
const DRAIN_MS = 200;
/** A worker that has not ended by then is killed. */
const KILL_MS = 1000;
/**
 * Serves, and starts anew whenever a file of the application changes.
 *
 * @param args The arguments of this process; workers get the same.
 * @returns The exit code.
 * @throws {MissingPermissionError} If workers cannot be started.
 * @throws {Deno.errors.AddrInUse} If a port is taken.
 */
export function superviseReload(
  settings: Settings,
  args: readonly string[],
): Promise<number> {
  return runSupervisor(settings, args, async (command, { log }, watch) => {
    const ports = portsOf(tryAddresses(settings.serve));
    const start = { supervisor: Deno.pid, ports, reusePort: false };
    using reloader = new Reloader({
      spawn: watch(workerSpawner(workerArguments(command, args), start)),
      readGraph: () =>
        readModuleGraph(settings.app.module, configFlags(command.flags)),
      paths: settings.reloadPaths,
      log,
    });
    const stop = (): void => reloader.stop();
    using _signals = onSignals({ SIGINT: stop, SIGTERM: stop });
    await reloader.run();
    return EXIT_CODES.ok;
  });
}

/** What a {@linkcode Reloader} needs. */
export interface ReloaderOptions {
  /** Starts a worker. */
  readonly spawn: SpawnWorker;
  /** Reads the modules of the application. */
  readonly readGraph: () => Promise<ModuleGraph>;
  /** Further files and folders to watch. */
  readonly paths: readonly string[];
  /** Called with what there is to say. */
  readonly log: (record: LogRecord) => void;
}

/** Keeps one worker that runs the files as they are. */
export class Reloader implements Disposable {
  readonly #options: ReloaderOptions;
  readonly #watcher = new FileWatcher((paths) => this.#changed(paths));
  readonly #stopping = new AbortController();
  #change: PromiseWithResolvers<void> = Promise.withResolvers();
  #worker: WorkerProcess | undefined;

  /** Watches nothing yet. */
  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Serves until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#change = Promise.withResolvers();
      if (await this.#isSound()) await this.#restart();
      if (this.#stopping.signal.aborted) break;
      await this.#change.promise;
    }
    await this.#end();
  }

  /** Stops; a second time without waiting for responses. */
  stop(): void {
    if (this.#stopping.signal.aborted) this.#worker?.kill();
    this.#stopping.abort();
    this.#change.resolve();
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    this.#watcher[Symbol.dispose]();
  }

  /** Reads and watches the modules; whether all of them can be read. */
  async #isSound(): Promise<boolean> {
    const { files, errors } = await this.#options.readGraph();
    this.#watcher.watch({ files, paths: this.#options.paths });
    for (const error of errors) this.#say("error", error);
    if (errors.length === 0) return true;
    this.#say(
      "warn",
      this.#worker === undefined
        ? "Waiting for a change"
        : "Waiting for a change; the application from before serves on",
    );
    return false;
  }

  async #restart(): Promise<void> {
    await this.#end();
    if (this.#stopping.signal.aborted) return;
    const worker = this.#options.spawn(() => {});
    this.#worker = worker;
    worker.exited.then((exit) => this.#exited(worker, exit));
  }

  #exited(worker: WorkerProcess, { code, signal }: WorkerExit): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    this.#say("error", `The server ended ${how}; waiting for a change`);
  }

  /** Ends the worker, kindly but soon. */
  async #end(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const ended = new AbortController();
    delay(KILL_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) worker.kill();
    });
    worker.send({ type: "drain", timeout: DRAIN_MS });
    await worker.exited;
    ended.abort();
  }

  #changed(paths: readonly string[]): void {
    this.#say("info", `Changed: ${paths.join(", ")}`);
    this.#change.resolve();
  }

  #say(level: LogLevel, message: string): void {
    this.#options.log({ level, message });
  }
}

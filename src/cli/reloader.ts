/**
 * `--reload`: one worker, which is replaced when a file of the application
 * changes. Where two processes can share what is listened on, the new worker
 * listens first, and the old one ends when the new one serves: no connection is
 * refused meanwhile, and an application that cannot be loaded replaces none
 * that can. Elsewhere the old one ends first.
 *
 * Modules that cannot be read are reported with file, line and column; then no
 * worker is started until a change mends them.
 *
 * @module
 */

import type { LogLevel, LogRecord } from "../logs/records.ts";
import { delay } from "../net/accept_loop.ts";
import { messageOf } from "../asgi/user_code.ts";
import { configFlags, workerArguments } from "./deno_command.ts";
import { EXIT_CODES } from "./errors.ts";
import { FileWatcher, hasChanged } from "./file_watcher.ts";
import { type ModuleGraph, readModuleGraph } from "./module_graph.ts";
import type { Settings } from "./settings.ts";
import { isSharable, portsOf, tryAddresses } from "./shared_ports.ts";
import { onSignals, runSupervisor } from "./supervision.ts";
import {
  describeExit,
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
    const reusePort = isSharable(settings.serve);
    const start = { supervisor: Deno.pid, ports, reusePort };
    using reloader = new Reloader({
      spawn: watch(workerSpawner(workerArguments(command, args), start)),
      overlap: reusePort,
      readGraph: () =>
        readModuleGraph(settings.app.module, configFlags(command.flags)),
      paths: settings.reloadPaths,
      log,
    });
    using _signals = listenToSignals(reloader);
    await reloader.run();
    return EXIT_CODES.ok;
  });
}

function listenToSignals(reloader: Reloader): Disposable {
  const stop = (): void => reloader.stop();
  const hadTerminal = Deno.stdin.isTerminal();
  return onSignals({
    SIGINT: stop,
    SIGTERM: stop,
    SIGHUP: () => {
      // A terminal that is closed sends it, too.
      if (hadTerminal && !Deno.stdin.isTerminal()) stop();
      else reloader.reload("Received SIGHUP");
    },
  });
}

/** What a {@linkcode Reloader} needs. */
export interface ReloaderOptions {
  /** Starts a worker. */
  readonly spawn: SpawnWorker;
  /** Whether a worker can listen before the one that it replaces has ended. */
  readonly overlap: boolean;
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
  readonly #watcher = new FileWatcher({
    onChange: (paths) => this.reload(`Changed: ${paths.join(", ")}`),
    onError: (error) => this.#say("error", `Cannot watch files: ${error}`),
  });
  readonly #stopping = new AbortController();
  readonly #workers = new Set<WorkerProcess>();
  #change: PromiseWithResolvers<void> = Promise.withResolvers();
  /** The worker that serves, if one does. */
  #serving: WorkerProcess | undefined;

  /** Watches nothing yet. */
  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Serves until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#change = Promise.withResolvers();
      if (await this.#isSound()) await this.#replace();
      await this.#change.promise;
    }
    await Promise.all([...this.#workers].map((worker) => this.#end(worker)));
  }

  /** Loads the application anew, and says why. */
  reload(reason: string): void {
    this.#say("info", reason);
    this.#change.resolve();
  }

  /** Stops; a second time without waiting for responses. */
  stop(): void {
    if (this.#stopping.signal.aborted) {
      for (const worker of this.#workers) worker.kill();
    }
    this.#stopping.abort();
    this.#change.resolve();
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    this.#watcher[Symbol.dispose]();
  }

  /** Watches the modules; whether all of them can be read. */
  async #isSound(): Promise<boolean> {
    const errors = await this.#watch();
    for (const error of errors) this.#say("error", error);
    if (errors.length > 0) this.#sayWaiting();
    return errors.length === 0;
  }

  /** Watches the modules that there are now; what is wrong with them. */
  async #watch(): Promise<readonly string[]> {
    const { readGraph, paths } = this.#options;
    const start = Date.now();
    try {
      const { files, errors } = await readGraph();
      this.#watcher.watch({ files, paths });
      // A file that is new in the graph was not watched while it was read.
      if (files.some((path) => hasChanged(path, start))) this.#change.resolve();
      return errors;
    } catch (error) {
      // Ctrl-C ends what reads them, too.
      if (this.#stopping.signal.aborted) return [];
      // At the start, no file is watched whose change could mend it.
      if (!this.#watcher.isWatching) throw error;
      return [messageOf(error)];
    }
  }

  /** Starts a worker, which takes over unless it fails or is outdated. */
  async #replace(): Promise<void> {
    const old = this.#serving;
    if (!this.#options.overlap && old !== undefined) await this.#end(old);
    if (this.#stopping.signal.aborted) return;
    const { worker, ready } = this.#start();
    const change = this.#change.promise.then(() => "outdated" as const);
    const outcome = await Promise.race([ready, worker.exited, change]);
    if (outcome === "outdated") await this.#end(worker);
    else if (outcome === "ready") await this.#takeOver(worker);
    else this.#sayEnded(worker, outcome);
  }

  #start(): { worker: WorkerProcess; ready: Promise<"ready"> } {
    const { promise: ready, resolve } = Promise.withResolvers<"ready">();
    const worker = this.#options.spawn(({ type }) => {
      if (type === "ready") resolve(type);
    });
    this.#workers.add(worker);
    worker.exited.then((exit) => this.#exited(worker, exit))
      .catch((error) => this.#say("error", `Cannot go on: ${error}`));
    return { worker, ready };
  }

  async #takeOver(worker: WorkerProcess): Promise<void> {
    const old = this.#serving;
    this.#serving = worker;
    this.#say("debug", `Worker ${worker.pid} is ready`);
    if (old !== undefined) await this.#end(old);
  }

  #exited(worker: WorkerProcess, exit: WorkerExit): void {
    this.#workers.delete(worker);
    if (this.#serving !== worker) return;
    this.#serving = undefined;
    this.#sayEnded(worker, exit);
  }

  /** Ends a worker, kindly but soon. */
  async #end(worker: WorkerProcess): Promise<void> {
    if (this.#serving === worker) this.#serving = undefined;
    const enough = new AbortController();
    worker.send({ type: "drain", timeout: DRAIN_MS });
    const late = delay(KILL_MS, enough.signal);
    const exit = await Promise.race([worker.exited, late]);
    enough.abort();
    if (exit === undefined) worker.kill();
    await worker.exited;
    this.#say("debug", `Worker ${worker.pid} has ended`);
  }

  #sayEnded(worker: WorkerProcess, exit: WorkerExit): void {
    this.#say("error", describeExit(worker, exit));
    this.#sayWaiting();
  }

  #sayWaiting(): void {
    const serving = this.#serving === undefined
      ? ""
      : "; the application from before serves on";
    this.#say("warn", `Waiting for a change${serving}`);
  }

  #say(level: LogLevel, message: string): void {
    this.#options.log({ level, message });
  }
}

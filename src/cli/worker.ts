/**
 * A worker: serves like any other server, but obeys its supervisor instead of
 * signals, asks to be replaced when its time has come, and ends when the
 * supervisor does.
 *
 * @module
 */

import process from "node:process";
import type { AsgiApp } from "../asgi/types.ts";
import { Metrics } from "../metrics/metrics.ts";
import { delay } from "../net/accept_loop.ts";
import { DEFAULT_OPTIONS } from "../server/options.ts";
import type { Server } from "../server/server.ts";
import { handled } from "../streams/handled.ts";
import { EXIT_CODES } from "./errors.ts";
import { runServer } from "./run.ts";
import type { Settings } from "./settings.ts";
import { withPorts } from "./shared_ports.ts";
import { watchSupervisor } from "./supervisor_watch.ts";
import {
  type FromWorker,
  isToWorker,
  type ToWorker,
  WORKER_VARIABLE,
  type WorkerStart,
} from "./worker_messages.ts";

const MEMORY_CHECK_MS = 1000;
const COUNTS_MS = 1000;
/** How long the last message may take to be written. */
const CLOSE_MS = 1000;
/** How long responses may take when the supervisor is gone. */
const ORPHAN_DRAIN_MS = 2000;
/** An orphan that has not ended by then is killed. */
const ORPHAN_KILL_MS = 5000;

/** The way from a worker to its supervisor. */
export interface WorkerChannel {
  /** What the supervisor asks for. */
  readonly start: WorkerStart;
  /** Sends the supervisor a message. */
  send(message: FromWorker): void;
  /** Listens to the supervisor. */
  listen(
    onMessage: (message: ToWorker) => void,
    onDisconnect: () => void,
  ): void;
  /**
   * Stops listening, so that the process may end; resolves when the messages that
   * were sent are written.
   */
  close(): Promise<void>;
}

/**
 * The channel to the supervisor that started this process; nothing if none did.
 */
export function workerChannel(): WorkerChannel | undefined {
  const variable = WORKER_VARIABLE;
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  if (state !== "granted" || typeof process.send !== "function") {
    return undefined;
  }
  const start = Deno.env.get(variable);
  if (start === undefined) return undefined;
  // What the application starts is no worker.
  Deno.env.delete(variable);
  return new ProcessChannel(JSON.parse(start));
}

class ProcessChannel implements WorkerChannel {
  readonly start: WorkerStart;
  /** Resolves when the latest message is written, or cannot be. */
  #written = Promise.resolve();

  constructor(start: WorkerStart) {
    this.start = start;
  }

  send(message: FromWorker): void {
    if (!process.connected) return;
    this.#written = new Promise((resolve) => {
      process.send?.(message, () => resolve());
    });
  }

  listen(
    onMessage: (message: ToWorker) => void,
    onDisconnect: () => void,
  ): void {
    process.on("message", (message: unknown) => {
      if (isToWorker(message)) onMessage(message);
    });
    process.on("disconnect", onDisconnect);
  }

  async close(): Promise<void> {
    process.removeAllListeners("disconnect");
    // A supervisor that does not read must not keep the process.
    const enough = new AbortController();
    await Promise.race([this.#written, delay(CLOSE_MS, enough.signal)]);
    enough.abort();
    if (process.connected) process.disconnect();
  }
}

/**
 * Serves until the supervisor says to stop, or is gone.
 *
 * @returns The exit code, as that of `runServer`.
 */
export async function runWorker(
  settings: Settings,
  channel: WorkerChannel,
): Promise<number> {
  const worker = new Worker(settings, channel);
  return await worker.run();
}

class Worker {
  readonly #settings: Settings;
  readonly #channel: WorkerChannel;
  readonly #metrics: Metrics | undefined;
  /** Stops a server that is not yet ready. */
  readonly #stopping = new AbortController();
  /** The exit code of a worker that is to end before it serves. */
  readonly #cancelled = Promise.withResolvers<number>();
  #isLoaded = false;
  #server: Server | undefined;

  constructor(settings: Settings, channel: WorkerChannel) {
    this.#settings = settings;
    if (settings.metrics !== null) this.#metrics = new Metrics();
    this.#channel = channel;
  }

  async run(): Promise<number> {
    const { supervisor, ports, reusePort } = this.#channel.start;
    using _watch = watchSupervisor({
      supervisor,
      onGone: () => this.#orphaned(),
      graceMs: ORPHAN_KILL_MS,
    });
    const memoryCheck = this.#checkMemory();
    // A worker that is killed cannot report any more.
    const counting = this.#metrics &&
      setInterval(() => this.#reportCounts(), COUNTS_MS);
    this.#channel.listen(
      (message) => this.#received(message),
      () => this.#orphaned(),
    );
    this.#listenToSignals();
    const server = runServer(this.#settings, {
      wrapApp: (app) => this.#loaded(app),
      onReady: (server) => this.#ready(server),
      signals: false,
      serve: {
        ...withPorts(this.#settings.serve, ports),
        reusePort,
        signal: this.#stopping.signal,
        metrics: this.#metrics,
      },
    });
    try {
      return await Promise.race([server, this.#cancelled.promise]);
    } finally {
      clearInterval(memoryCheck);
      clearInterval(counting);
      this.#reportCounts();
      await this.#channel.close();
    }
  }

  #loaded(app: AsgiApp): AsgiApp {
    this.#isLoaded = true;
    return this.#countRequests(app);
  }

  #ready(server: Server): void {
    this.#server = server;
    this.#channel.send({ type: "ready" });
  }

  #received(message: ToWorker): void {
    switch (message.type) {
      case "count":
        return this.#reportCounts();
      case "ping":
        return this.#channel.send({ type: "pong" });
      case "drain":
        return this.#drain(message.timeout);
    }
  }

  #reportCounts(): void {
    if (this.#metrics === undefined) return;
    this.#channel.send({ type: "counts", counts: this.#metrics.snapshot() });
  }

  #drain(timeout: number | undefined): void {
    // An import cannot be called off; the process ends with it.
    if (!this.#isLoaded) return this.#cancelled.resolve(EXIT_CODES.ok);
    if (this.#server === undefined) return this.#stopping.abort();
    // Whether it ended well, `runServer` finds out, too.
    handled(this.#server.shutdown({ timeout }));
  }

  #orphaned(): void {
    const { shutdownTimeout } = { ...DEFAULT_OPTIONS, ...this.#settings.serve };
    this.#drain(Math.min(shutdownTimeout, ORPHAN_DRAIN_MS));
  }

  #retire(reason: string): void {
    this.#channel.send({ type: "retire", reason });
  }

  #countRequests(app: AsgiApp): AsgiApp {
    const { maxRequests, maxRequestsJitter } = this.#settings;
    const limit = requestLimit(maxRequests, maxRequestsJitter);
    return countRequests(
      app,
      limit,
      () => this.#retire(`it has answered ${limit} requests`),
    );
  }

  #checkMemory(): ReturnType<typeof setInterval> | undefined {
    const { maxWorkerMemory } = this.#settings;
    if (maxWorkerMemory === Infinity) return undefined;
    const timer = setInterval(() => {
      const { rss } = Deno.memoryUsage();
      if (rss <= maxWorkerMemory) return;
      clearInterval(timer);
      this.#retire(`it uses ${rss} bytes of memory`);
    }, MEMORY_CHECK_MS);
    return timer;
  }

  /**
   * A terminal's Ctrl-C reaches all of its processes, but it is the supervisor
   * that decides. Asked to end directly, a worker is replaced first.
   */
  #listenToSignals(): void {
    Deno.addSignalListener("SIGINT", () => {});
    Deno.addSignalListener("SIGHUP", () => {});
    if (Deno.build.os === "windows") return;
    Deno.addSignalListener("SIGTERM", () => this.#retire("of SIGTERM"));
  }
}

/** After how many requests a worker is to be replaced. */
export function requestLimit(
  maxRequests: number,
  jitter: number,
  random: () => number = Math.random,
): number {
  return maxRequests + Math.floor(random() * (jitter + 1));
}

/** Calls `onLimit` once, when an application has answered `limit` requests. */
export function countRequests(
  app: AsgiApp,
  limit: number,
  onLimit: () => void,
): AsgiApp {
  if (limit === Infinity) return app;
  let answered = 0;
  return async (scope, receive, send) => {
    try {
      await app(scope, receive, send);
    } finally {
      if (scope.type !== "lifespan" && ++answered === limit) onLimit();
    }
  };
}

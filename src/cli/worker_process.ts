/**
 * Starts a worker as a process of its own. What it logs goes where the
 * supervisor's own logs go; messages go through an IPC channel, which also
 * shows a worker that its supervisor is gone.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { delay } from "../net/accept_loop.ts";
import {
  type FromWorker,
  isFromWorker,
  type ToWorker,
  WORKER_VARIABLE,
  type WorkerStart,
} from "./worker_messages.ts";

/**
 * How long the channel of a worker that has exited may stay open, in
 * milliseconds: processes that the worker started may hold it.
 */
const CHANNEL_END_MS = 500;

/**
 * The environment of a worker, where the supervisor's does not say otherwise.
 * Deno polls sockets once in a number of turns of the event loop, by default in
 * 61, and reads that number only when it starts.
 */
const DEFAULT_VARIABLES = { DENO_TOKIO_EVENT_INTERVAL: "1" };

/** How a worker ended. */
export interface WorkerExit {
  /** Its exit code; `null` if it was killed. */
  readonly code: number | null;
  /** The signal that killed it, or `null`. */
  readonly signal: string | null;
  /** Why it could not be started; absent if it was. */
  readonly error?: Error;
}

/** A worker, as its supervisor sees it. */
export interface WorkerProcess {
  /** The process id. */
  readonly pid: number;
  /** Resolves when the process has ended, and its last message has come. */
  readonly exited: Promise<WorkerExit>;
  /** Sends the worker a message; lost if it has ended. */
  send(message: ToWorker): void;
  /** Ends the worker at once. */
  kill(): void;
}

/** Starts a worker, and calls `onMessage` with what it says. */
export type SpawnWorker = (
  onMessage: (message: FromWorker) => void,
) => WorkerProcess;

/** Starts workers with these arguments of Deno. */
export function workerSpawner(
  args: readonly string[],
  start: WorkerStart,
): SpawnWorker {
  return (onMessage) => {
    const child = spawn(Deno.execPath(), args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: {
        ...DEFAULT_VARIABLES,
        ...process.env,
        [WORKER_VARIABLE]: JSON.stringify(start),
      },
    });
    child.on("message", (message) => {
      if (isFromWorker(message)) onMessage(message);
    });
    return new SpawnedWorker(child);
  };
}

class SpawnedWorker implements WorkerProcess {
  readonly pid: number;
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exited = untilEnded(child);
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The system reports the exit apart from the messages, often before the last. */
async function untilEnded(child: ChildProcess): Promise<WorkerExit> {
  const channelEnd = new Promise<void>((resolve) => {
    child.on("disconnect", () => resolve());
  });
  const exit = await untilExit(child);
  if (!child.connected) return exit;
  const enough = new AbortController();
  await Promise.race([channelEnd, delay(CHANNEL_END_MS, enough.signal)]);
  enough.abort();
  if (child.connected) child.disconnect();
  return exit;
}

function untilExit(child: ChildProcess): Promise<WorkerExit> {
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve({ code, signal }));
    // There is no exit where there was no start.
    child.on("error", (error) => {
      if (child.pid === undefined) resolve({ code: 1, signal: null, error });
    });
  });
}

/** How a worker ended, as a sentence. */
export function describeExit(
  { pid }: WorkerProcess,
  { code, signal, error }: WorkerExit,
): string {
  if (error !== undefined) return `Cannot start a worker: ${error.message}`;
  return signal === null
    ? `Worker ${pid} ended with exit code ${code}`
    : `Worker ${pid} was killed by ${signal}`;
}

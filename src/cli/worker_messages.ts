/**
 * The messages between a supervisor and its workers. They go over the IPC
 * channel that Node's child processes have; what a worker must know before it
 * starts stands in an environment variable.
 *
 * @module
 */

import { type Counts, isCounts } from "../metrics/counts.ts";

/** The environment variable that makes a process a worker. */
export const WORKER_VARIABLE = "ASGI_WORKER";

/** What a worker knows before it starts, as JSON in that variable. */
export interface WorkerStart {
  /** The process id of the supervisor. */
  readonly supervisor: number;
  /** The port of each address to listen on; `null` for a unix socket. */
  readonly ports: readonly (number | null)[];
  /** Whether other workers listen on them, too. */
  readonly reusePort: boolean;
}

/** A message to a worker. */
export type ToWorker =
  /**
   * End: accept no more, answer what was accepted, exit. The timeout is how
   * long that may take, in milliseconds, by default `shutdownTimeout`.
   */
  | { readonly type: "drain"; readonly timeout?: number | undefined }
  /** Report what you have counted. */
  | { readonly type: "count" }
  /** Give a sign of life. */
  | { readonly type: "ping" };

/** A message to a supervisor. */
export type FromWorker =
  /** The application has started, and the worker accepts. */
  | { readonly type: "ready" }
  /** The worker wants to be replaced, and serves until it is. */
  | { readonly type: "retire"; readonly reason: string }
  /** A sign of life. */
  | { readonly type: "pong" }
  /** What the worker has counted since it started. */
  | { readonly type: "counts"; readonly counts: Counts };

/** Whether something that came over the channel is for a worker. */
export function isToWorker(message: unknown): message is ToWorker {
  const { type } = fieldsOf(message);
  return type === "drain" || type === "count" || type === "ping";
}

/** Whether something that came over the channel is from a worker. */
export function isFromWorker(message: unknown): message is FromWorker {
  const { type, reason, counts } = fieldsOf(message);
  if (type === "retire") return typeof reason === "string";
  if (type === "counts") return isCounts(counts);
  return type === "ready" || type === "pong";
}

/** An application may send messages of its own over the channel. */
function fieldsOf(message: unknown): Record<string, unknown> {
  const isObject = typeof message === "object" && message !== null;
  return isObject ? message as Record<string, unknown> : {};
}

/**
 * One connection of a client, as the server sees it, whatever version of HTTP
 * it speaks.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";

/** A connection that gives an {@linkcode Exchange} for each of its requests. */
export interface ServedConnection {
  /** Whether no request is under way, nor has begun to arrive. */
  readonly idle: boolean;
  /**
   * Whether it is idle after a response that was written: clients expect that
   * such a connection may be closed; on a fresh one, the first request would be
   * lost.
   */
  readonly evictable: boolean;
  /**
   * Since when its client has kept it waiting, by the clock of `performance`;
   * `undefined` while a request is handled, and while it is idle after one.
   */
  readonly waitingSince: number | undefined;
  /** Called when the connection is idle after a request. */
  onIdle: (() => void) | undefined;
  /** Called when bytes that are no request were answered with an error. */
  onRefused: ((refused: RefusedBytes) => void) | undefined;
  /**
   * Serves requests until the connection is closed, or another protocol has taken
   * it over.
   *
   * @returns What has taken it over, if something has: a connection that is to be
   * run now, if the client speaks another version of HTTP.
   * @throws Whatever the connection was lost by.
   */
  run(): Promise<ServedConnection | UpgradedConnection | undefined>;
  /** Closes the connection after the requests that are under way. */
  shutdown(): void;
  /** Closes the connection, unless a request is being handled. */
  evict(): void;
  /** Closes the connection at once. */
  abort(): void;
}

/** A connection that has left HTTP, as the server sees it. */
export interface UpgradedConnection {
  /** Resolves when it is closed; never rejects. */
  readonly closed: Promise<void>;
  /** Closes it at once. */
  abort(): void;
}

/** How bytes that are no request were answered. */
export type RefusedBytes = Pick<
  Exchange,
  "status" | "refusal" | "bytesSent" | "aborted"
>;

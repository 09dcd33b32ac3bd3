/**
 * What a connection may begin with before its first request: a TLS handshake,
 * or the header of the PROXY protocol. It has a deadline, and counts as a
 * connection.
 *
 * @module
 */

import type { SocketConn } from "./connection.ts";
import type { CoarseDeadline, DeadlineClock } from "./deadlines.ts";

/** At a shutdown, a client that has just connected may still complete it. */
const SHUTDOWN_GRACE_MS = 300;

/** Performs a handshake, and gives the connection that it has made. */
export type PerformHandshake = (conn: Deno.Conn) => Promise<SocketConn>;

/** How a handshake is bounded. */
export interface HandshakeOptions {
  /** The clock of its deadline. */
  readonly clock: DeadlineClock;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** A handshake that is under way. */
export class Handshake {
  /** A client does not expect that a connection is closed now. */
  readonly evictable = false;
  /** Since when its client has kept the server waiting. */
  readonly waitingSince: number = performance.now();

  readonly #conn: Deno.Conn;
  readonly #deadline: CoarseDeadline;
  readonly #timeoutMs: number;

  /** For a connection that was accepted. */
  constructor(conn: Deno.Conn, { clock, timeoutMs }: HandshakeOptions) {
    this.#conn = conn;
    this.#timeoutMs = timeoutMs;
    this.#deadline = clock.create();
    this.#arm(timeoutMs);
  }

  /**
   * Performs it; the connection is closed if that fails.
   *
   * @throws Whatever it failed by.
   */
  async run(perform: PerformHandshake): Promise<SocketConn> {
    using _deadline = this.#deadline;
    try {
      return await perform(this.#conn);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Gives it little time from now on. */
  shutdown(): void {
    this.#arm(Math.min(SHUTDOWN_GRACE_MS, this.#timeoutMs));
  }

  /** Closes the connection, so that others have room. */
  evict(): void {
    this.abort();
  }

  /** Closes the connection. */
  abort(): void {
    this.#conn[Symbol.dispose]();
  }

  #arm(ms: number): void {
    this.#deadline.arm(ms, () => this.abort());
  }
}

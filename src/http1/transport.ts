/**
 * What an HTTP/1 connection needs of the connection below it.
 *
 * @module
 */

/** A re-armable timer that bounds a wait. */
export interface Deadline {
  /**
   * Calls `onExpiry` once, `ms` milliseconds from now or a little later, unless
   * it is armed again or disarmed before. `Infinity` never expires.
   */
  arm(ms: number, onExpiry: () => void): void;
  /** Calls nothing any more. */
  disarm(): void;
}

/** A connection of bytes in both directions. */
export interface Transport {
  /** What the peer sends; closed at its end, errored when the peer is lost. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bounds a wait for the peer. */
  readonly readDeadline: Deadline;
  /** Resolves when all bytes were accepted; rejects when the peer is lost. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that no more will be written; what the peer sends can still be read. */
  closeWrite(): Promise<void>;
  /** Ends `readable` before the peer does: closed, or errored with `reason`. */
  endRead(reason?: Error): void;
  /** Closes both directions at once, and all that hangs on them. */
  close(): void;
}

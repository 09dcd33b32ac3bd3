/**
 * What the wires of HTTP/1 and HTTP/2 need of the connection below them.
 *
 * @module
 */

import type { Deadline, DisposableDeadline } from "../streams/deadline.ts";

/** A connection of bytes in both directions. */
export interface Transport {
  /** What the peer sends; closed at its end, errored when the peer is lost. */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Whether a small write waits until the peer has acknowledged the one before:
   * Nagle's algorithm, which a peer with nothing to say makes 40 ms of.
   * Default: `false`.
   */
  readonly delaysWrites?: boolean | undefined;
  /** Bounds a wait for the peer. */
  readonly readDeadline: Deadline;
  /**
   * Whether a `close` loses nothing now that was written, if the peer sends
   * nothing more. Otherwise `closeWrite` goes before, and the peer's end is read.
   */
  readonly closesCleanly?: boolean;
  /** Makes another deadline, for as long as it is needed. */
  createDeadline(): DisposableDeadline;
  /** Resolves when all bytes were accepted; rejects when the peer is lost. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that no more will be written; what the peer sends can still be read. */
  closeWrite(): Promise<void>;
  /** Ends `readable` before the peer does: closed, or errored with `reason`. */
  endRead(reason?: Error): void;
  /** Closes both directions at once, and all that hangs on them. */
  close(): void;
}

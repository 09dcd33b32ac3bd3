/**
 * What a WebSocket connection needs of what carries it: an upgraded HTTP/1
 * connection, or a stream of HTTP/2 or HTTP/3.
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";

/** A re-armable timer for a time limit. */
export interface Deadline {
  /**
   * Calls `onExpiry` once, `ms` milliseconds from now or a little later, unless
   * it is armed again or disarmed before. `Infinity` never expires.
   */
  arm(ms: number, onExpiry: () => void): void;
  /** Calls nothing any more. */
  disarm(): void;
}

/** A way for bytes in both directions, open for as long as the connection is. */
export interface WebSocketTransport {
  /** What the client sends; the first frames may be there already. */
  readonly reader: ByteReader;
  /** Bounds the waits for a sign of life, and for the end. */
  readonly deadline: Deadline;
  /** Makes another deadline, for as long as it is needed. */
  createDeadline(): Deadline & Disposable;
  /**
   * Resolves when all bytes were accepted; rejects when the client is lost. Not
   * called again before that.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Closes both directions at once, because the client is lost or does not
   * answer: a pending read or write fails.
   */
  abort(): void;
}

/**
 * What a WebSocket connection needs of what carries it: an upgraded HTTP/1
 * connection, or a stream of HTTP/2 or HTTP/3.
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";

/** A moment that may come too soon; one is armed again and again. */
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
  /** Bounds every wait but that for messages. */
  readonly deadline: Deadline;
  /** Bounds the wait for messages; needed only if `idleTimeout` is finite. */
  readonly idleDeadline?: Deadline;
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

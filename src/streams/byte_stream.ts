/**
 * Bytes in both directions, for a protocol that has left HTTP: an HTTP/1
 * connection that was upgraded, or a stream of HTTP/2 or HTTP/3.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import type { Deadline, DisposableDeadline } from "./deadline.ts";

/** A way for bytes in both directions; its owner must close it. */
export interface ByteStream {
  /** What the client sends; the first bytes may be there already. */
  readonly reader: ByteReader;
  /** Bounds the waits on this stream, and on no other. */
  readonly deadline: Deadline;
  /** How many bytes were given to {@linkcode ByteStream.write}. */
  readonly bytesSent: number;
  /** Makes another deadline, for as long as it is needed. */
  createDeadline(): DisposableDeadline;
  /**
   * Resolves when all bytes were accepted; rejects when the client is lost. Not
   * called again before that.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Closes both directions, but gives the client `ms` milliseconds to read what
   * was sent. Never rejects.
   */
  close(ms: number): Promise<void>;
  /** Closes both directions at once: a pending read or write fails. */
  abort(): void;
}

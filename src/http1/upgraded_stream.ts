/**
 * A connection that was upgraded from HTTP/1: the bytes in both directions, for
 * another protocol. Nothing of HTTP is kept alive by it.
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";
import type { ByteStream } from "../streams/byte_stream.ts";
import type { UpgradedConnection } from "../http/served_connection.ts";
import { linger } from "../http/linger.ts";
import type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
import type { Transport } from "../http/transport.ts";

/** What the new protocol runs on; its owner must close it. */
export class UpgradedStream implements ByteStream, UpgradedConnection {
  /** What the client sends; the first bytes may have come with the request. */
  readonly reader: ByteReader;

  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;

  readonly #transport: Transport;
  #bytesSent = 0;
  #onClosed: () => void = () => {};

  /** Takes over a transport and what was read of it. */
  constructor(transport: Transport, reader: ByteReader) {
    this.#transport = transport;
    this.reader = reader;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
  }

  /** Bounds a wait for the client. */
  get deadline(): Deadline {
    return this.#transport.readDeadline;
  }

  /** Makes another deadline. */
  createDeadline(): DisposableDeadline {
    return this.#transport.createDeadline();
  }

  /** How many bytes were given to {@linkcode UpgradedStream.write}. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Sends bytes; resolves when they were accepted. */
  write(bytes: Uint8Array): Promise<void> {
    this.#bytesSent += bytes.length;
    return this.#transport.write(bytes);
  }

  /** Closes both directions at once. */
  abort(): void {
    this.#transport.close();
    this.#onClosed();
  }

  /** Closes, but gives the client `ms` milliseconds to read what was sent. */
  async close(ms: number): Promise<void> {
    try {
      await linger(this.#transport, this.reader, ms);
    } catch {
      // The client is lost.
    } finally {
      this.abort();
    }
  }
}

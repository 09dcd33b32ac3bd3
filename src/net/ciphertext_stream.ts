/**
 * The ciphertext of one connection, as the stream below a `TLSSocket` of Node. It
 * takes the place of a `Duplex`, and differs from one in two ways.
 *
 * It reads nothing by itself. It is fed, and only when plaintext is asked for: a
 * `TLSSocket` decrypts and keeps whatever it is given, so that back pressure has
 * to begin below it.
 *
 * It holds the callback of a write back until the next write. The callback says
 * that there is room, and makes `TLSSocket` check three times for more to write;
 * without it, `TLSSocket` does not check after each read either. These checks are
 * a tenth of what a short request costs.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import type { SocketConn } from "./connection.ts";

/** The plaintext of a record, at most (RFC 8446, section 5.1). */
const MAX_RECORD_BYTES = 16 * 1024;

/** The ciphertext of one connection. */
export class CiphertextStream extends EventEmitter {
  // What `TLSSocket` reads of a `Duplex`.
  readonly allowHalfOpen = true;
  readonly readable = true;
  readonly writable = true;

  readonly #conn: SocketConn;
  /** Bytes of plaintext that were not written as ciphertext so far. */
  #expected = 0;
  /** Whether it makes several records, whose overhead hides how much is missing. */
  #severalRecords = false;
  #writing = false;
  /** The callback that is held back. */
  #onRoom: (() => void) | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;
  #closed: { readonly reason: unknown } | undefined;

  /** Writes to a connection; others read from it, and close it. */
  constructor(conn: SocketConn) {
    super();
    this.#conn = conn;
  }

  /** Gives ciphertext that was read, which is copied, to `TLSSocket`. */
  feed(ciphertext: Uint8Array): void {
    this.emit("data", ciphertext);
  }

  /**
   * Writes what `TLSSocket` was given: `length` bytes of plaintext.
   *
   * @returns When the connection has accepted its ciphertext.
   * @throws Whatever a write has failed with.
   */
  flush(length: number): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed.reason);
    const { promise } = this.#flushed = Promise.withResolvers();
    this.#expected = length;
    this.#severalRecords = length > MAX_RECORD_BYTES;
    this.giveRoom();
    return promise;
  }

  /** Lets `TLSSocket` write what it has, if nothing is being written. */
  giveRoom(): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.();
  }

  /** Writes nothing any more; a flush that is pending fails. */
  close(reason: unknown): void {
    this.#closed ??= { reason };
    this.#onRoom = undefined;
    this.#flushed?.reject(reason);
    this.#flushed = undefined;
  }

  // What `TLSSocket` calls of a `Duplex`.

  /** Writes ciphertext; more comes only when `onRoom` was called. */
  write(ciphertext: Uint8Array, onRoom: () => void): boolean {
    // Ciphertext is longer than its plaintext. So one record is complete when
    // this is 0 or less; of several records, some may be missing then.
    this.#expected -= ciphertext.length;
    this.#writing = true;
    this.#write(ciphertext, onRoom);
    return false;
  }

  /** It is fed on demand. */
  pause(): this {
    return this;
  }

  /** It is fed on demand. */
  resume(): this {
    return this;
  }

  /** Does not close the connection, which is not its own. */
  end(onEnd: () => void): void {
    onEnd();
  }

  /** Ciphertext that was written before may still be sent. */
  destroy(): void {
    this.emit("close");
  }

  #write(ciphertext: Uint8Array, onRoom: () => void): void {
    this.#conn.write(ciphertext).then(
      (length) => {
        if (length === ciphertext.length) this.#written(onRoom);
        else this.#write(ciphertext.subarray(length), onRoom);
      },
      (error) => this.close(error),
    );
  }

  #written(onRoom: () => void): void {
    this.#writing = false;
    this.#onRoom = onRoom;
    // A write without a flush belongs to the handshake.
    if (
      this.#flushed === undefined || this.#severalRecords || this.#expected > 0
    ) this.giveRoom();
    if (this.#writing || this.#expected > 0) return;
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }
}

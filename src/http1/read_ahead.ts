/**
 * While a request is handled, one read is kept pending (up to 64 KiB are
 * buffered so): it notices that the client leaves, and it is the first read of
 * the next request.
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";

const MAX_BYTES = 64 * 1024;

/** What a read ahead is for. */
export interface ReadAheadWatcher {
  /** Whether to read at all. */
  readonly readsAhead: boolean;
  /** Called when no more is read, so that a disconnect would not be noticed. */
  onFull(): void;
  /** Called when the client has said that it sends no more. */
  onHalfClosed(): void;
  /** Called when the read has failed. */
  onReadFailed(error: unknown): void;
}

/** The read ahead of one connection. */
export class ReadAhead {
  readonly #reader: ByteReader;
  #watcher: ReadAheadWatcher | undefined;
  #pending = false;

  /** Reads by `reader`, whose bytes others take. */
  constructor(reader: ByteReader, watcher: ReadAheadWatcher) {
    this.#reader = reader;
    this.#watcher = watcher;
  }

  /** Keeps a read pending, within bounds, as long as it is wanted. */
  start(): void {
    if (this.#pending || !this.#watcher?.readsAhead) return;
    if (this.#reader.buffered >= MAX_BYTES) return this.#watcher.onFull();
    this.#pending = true;
    this.#reader.fill().then(this.#arrived, this.#failed);
  }

  /** Notifies nobody any more; a read that is pending goes on for its reader. */
  stop(): void {
    this.#watcher = undefined;
  }

  readonly #arrived = (more: boolean): void => {
    this.#pending = false;
    if (!more) this.#watcher?.onHalfClosed();
    else this.start();
  };

  readonly #failed = (error: unknown): void => {
    this.#pending = false;
    this.#watcher?.onReadFailed(error);
  };
}

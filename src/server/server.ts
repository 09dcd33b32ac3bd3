/**
 * A server, as its user sees it.
 *
 * @module
 */

import type { ServerAddress } from "../net/listener_address.ts";

/** How a server is shut down. */
export interface ShutdownOptions {
  /**
   * How long responses in flight may take, in milliseconds; then they are cut.
   * Default: the server's `shutdownTimeout`.
   */
  timeout?: number;
}

/** A server that is listening, by default at an address of any kind. */
export interface Server<Address extends ServerAddress = ServerAddress>
  extends AsyncDisposable {
  /** Where the server listens: the first address, if there are several. */
  readonly addr: Address;
  /** Every address that the server listens on. */
  readonly addrs: readonly ServerAddress[];
  /** The URL of the server's root, at the first address; `unix:` and the path for a unix socket. */
  readonly url: string;
  /**
   * Resolves when the server has stopped, its last connection is closed, and
   * the application has stopped. It rejects with a {@linkcode LifespanError} if
   * the application fails to start or to stop.
   */
  readonly finished: Promise<void>;
  /**
   * Answers what waits to be accepted, closes idle connections, lets responses
   * in flight end (with `connection: close`), and cuts what is left at the
   * timeout. Called again, it can only hasten the end; with a timeout of 0
   * while the application stops, that is waited for no longer.
   *
   * @returns When the server is finished.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /**
   * Reads the files of certificates and keys again, and uses those that have
   * changed for new connections; open ones are left alone.
   *
   * @throws {TypeError} If one is of no use; then the old one stays.
   */
  reloadCertificates(): Promise<void>;
  /** Lets the server keep the process alive, as it does from the start. */
  ref(): void;
  /** Lets the process end although the server listens; not where it serves HTTP/3. */
  unref(): void;
}

/**
 * All addresses that a server listens on, as one.
 *
 * @module
 */

import type { AcceptedConn, AcceptFailure } from "../net/accept_loop.ts";
import { listenAll, type Listener } from "../net/listener.ts";
import type { ServerAddress } from "../net/listener_address.ts";
import { type ListenChoice, listenTargets } from "./listen_options.ts";
import type { ResolvedOptions } from "./options.ts";

/** What is done with what listeners accept. */
export interface Acceptor {
  /** Takes a connection over; no other is accepted before that. */
  onConnection(conn: AcceptedConn, listener: Listener): Promise<void>;
  /** Called when a connection could not be accepted. */
  onFailure(failure: AcceptFailure): void;
}

/** The listeners of a server; they are bound from the start. */
export class Listeners {
  /** Where they listen, in the order of the options. */
  readonly addresses: readonly ServerAddress[];

  readonly #listeners: readonly Listener[];
  #accepting = false;
  #reloading: Promise<void> = Promise.resolve();

  /**
   * Binds what `choice` asks for.
   *
   * @throws {TypeError | RangeError} If it is wrong, or a certificate.
   * @throws {Deno.errors.AddrInUse} If an address is taken.
   */
  constructor(choice: ListenChoice, options: ResolvedOptions) {
    this.#listeners = listenAll(listenTargets(choice), options);
    this.addresses = this.#listeners.map(({ address }) => address);
  }

  /** Whether one of them speaks TLS. */
  get secure(): boolean {
    return this.#listeners.some((listener) => listener.secure);
  }

  /** Whether they have begun to accept. */
  get accepting(): boolean {
    return this.#accepting;
  }

  /** Those that serve HTTP/3 too. */
  get withHttp3(): readonly Listener[] {
    return this.#listeners.filter(({ http3 }) => http3 !== undefined);
  }

  /** Accepts; each promise is that of a listener, and ends with it. */
  accept({ onConnection, onFailure }: Acceptor): Promise<void>[] {
    this.#accepting = true;
    return this.#listeners.map((listener) =>
      listener.run({
        onConnection: (conn) => onConnection(conn, listener),
        onFailure,
      })
    );
  }

  /** Accepts what has connected already, unless `cut` is aborted, then closes. */
  async stop(cut: AbortSignal): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop(cut)));
  }

  /** Closes listeners that have never accepted. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  /** Whether listening keeps the process alive. */
  keepAlive(wanted: boolean): void {
    for (const listener of this.#listeners) listener.keepAlive(wanted);
  }

  /**
   * Reads certificates and keys again, one reload after the other.
   *
   * @throws {TypeError} If one is of no use; then the old one stays.
   */
  reload(): Promise<void> {
    const reload = (): Promise<void> => this.#reload();
    return this.#reloading = this.#reloading.then(reload, reload);
  }

  async #reload(): Promise<void> {
    const results: PromiseSettledResult<void>[] = [];
    for (const listener of this.#listeners) {
      results.push(...await Promise.allSettled([listener.reload()]));
    }
    const failure = results.find(({ status }) => status === "rejected");
    if (failure?.status === "rejected") throw failure.reason;
  }
}

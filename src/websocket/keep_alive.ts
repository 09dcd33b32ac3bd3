/**
 * Whether the client is still there: when it has been silent for a while it is
 * sent a ping, and when it stays silent, it counts as lost. Anything that it
 * sends is a sign of life.
 *
 * A client that is not read cannot be heard, so nothing is asked of it while
 * reading pauses. The wait for its answer begins when the ping has left: before
 * that, the client may be busy with reading what was sent earlier.
 *
 * @module
 */

import type { WebSocketOptions } from "./options.ts";
import type { Deadline } from "../streams/deadline.ts";

/** What is kept alive. */
export interface Pingable {
  /** Sends a ping; resolves when it has left. */
  ping(): Promise<void>;
  /** Cuts the connection, because the client does not answer. */
  abort(): void;
}

/** Watches over one client, by a deadline that others use once it is stopped. */
export class KeepAlive {
  readonly #deadline: Deadline;
  readonly #options: Pick<WebSocketOptions, "pingInterval" | "pingTimeout">;
  readonly #connection: Pingable;
  #heard = true;
  #stopped = false;
  #paused = false;

  /** Watches from the first sign of life on. */
  constructor(
    deadline: Deadline,
    options: Pick<WebSocketOptions, "pingInterval" | "pingTimeout">,
    connection: Pingable,
  ) {
    this.#deadline = deadline;
    this.#options = options;
    this.#connection = connection;
  }

  /** Notes a sign of life. */
  heard(): void {
    if (this.#stopped) return;
    this.#heard = true;
    this.#deadline.arm(this.#options.pingInterval, this.#silent);
  }

  /** Notes whether the client is not read at present. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.heard();
  }

  /** Leaves the deadline alone from now on. */
  stop(): void {
    this.#stopped = true;
  }

  readonly #silent = (): void => {
    if (this.#paused) return this.heard();
    this.#heard = false;
    // The owner of writes notices if the ping cannot leave.
    this.#connection.ping().then(() => this.#awaitAnswer(), () => {});
  };

  #awaitAnswer(): void {
    if (this.#heard || this.#stopped) return;
    const { pingTimeout } = this.#options;
    this.#deadline.arm(pingTimeout, () => this.#connection.abort());
  }
}

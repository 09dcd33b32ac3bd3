/**
 * The calls of an application that have not returned.
 *
 * @module
 */

import type { CycleContext } from "../asgi/http_cycle.ts";
import type { CallErrors } from "./_app_errors.ts";
import { openFile } from "./_file.ts";
import { isWithin, nextTurn } from "./_timing.ts";

/** How long an application may take to notice that its client has disconnected. */
const RETURN_TIMEOUT_MS = 5_000;

/** One call. */
export interface Call {
  /** What the cycle reports of the application. */
  readonly context: CycleContext;
  /** Resolves when the application has returned. */
  readonly returned: Promise<void>;
}

interface RunningCall extends Call {
  readonly label: string;
  disconnect(): void;
}

/** All calls of a client. */
export class Calls {
  /** The types of the events that were ignored. */
  readonly ignored: string[] = [];
  /** Why events were refused, where nothing else says so. */
  readonly refused: unknown[] = [];
  readonly #running = new Set<RunningCall>();

  /** Begins a call; `disconnect` disconnects its client. */
  begin(label: string, errors: CallErrors, disconnect: () => void): Call {
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    const context: CycleContext = {
      openFile,
      onAppError: (error) => errors.add(error),
      onRefusedEvent: (error) => this.refused.push(error),
      onIgnoredEvent: (type) => this.ignored.push(type),
      onAppReturned: () => {
        this.#running.delete(call);
        resolve();
      },
    };
    const call = { label, context, returned, disconnect };
    this.#running.add(call);
    return call;
  }

  /**
   * Waits until all of them have returned; those that have not at the timeout
   * lose their clients.
   *
   * @throws {Error} If one of them does not notice that.
   */
  async finish(timeout: number): Promise<void> {
    try {
      await this.#finish(timeout);
    } finally {
      // What ends with them, such as a close on its way, takes a turn more.
      await nextTurn();
    }
  }

  async #finish(timeout: number): Promise<void> {
    if (await this.#areOver(timeout)) return;
    for (const call of this.#running) call.disconnect();
    if (await this.#areOver(RETURN_TIMEOUT_MS)) return;
    const labels = Array.from(this.#running, ({ label }) => label).join(", ");
    throw new Error(
      `Cannot stop: the application still runs ${RETURN_TIMEOUT_MS} ms after its client has disconnected: ${labels}`,
    );
  }

  #areOver(timeout: number): Promise<boolean> {
    const calls = Array.from(this.#running, ({ returned }) => returned);
    return isWithin(Promise.all(calls), timeout);
  }
}

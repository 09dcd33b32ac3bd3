/**
 * The wait of an application for content that has not come: one at a time, however
 * many ask for it, and for so long at most.
 *
 * @module
 */

import { HttpError } from "./http_error.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";

/** Waits for the content of one stream. */
export class Arrival {
  readonly #createDeadline: () => DisposableDeadline;
  #deadline: DisposableDeadline | undefined;
  #next: PromiseWithResolvers<void> | undefined;

  /** Makes a deadline only if something is waited for. */
  constructor(createDeadline: () => DisposableDeadline) {
    this.#createDeadline = createDeadline;
  }

  /**
   * Waits until content comes, or its end, for at most `ms` milliseconds.
   *
   * @throws {HttpError} 408 if nothing comes.
   * @throws What {@linkcode Arrival.fail} is called with.
   */
  async wait(ms: number): Promise<void> {
    const next = this.#next ??= Promise.withResolvers<void>();
    if (ms !== Infinity) {
      this.#deadline ??= this.#createDeadline();
      this.#deadline.arm(ms, () => this.fail(timedOut()));
    }
    try {
      await next.promise;
    } finally {
      this.#next = undefined;
      this.#deadline?.disarm();
    }
  }

  /** Whether content is waited for. */
  get awaited(): boolean {
    return this.#next !== undefined;
  }

  /** Content has come, or its end. */
  came(): void {
    this.#next?.resolve();
  }

  /** None will come. */
  fail(reason: Error): void {
    this.#next?.reject(reason);
  }

  /** Lets go of the deadline: nothing is waited for any more. */
  end(reason: Error | undefined): void {
    if (reason !== undefined) this.fail(reason);
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
  }
}

function timedOut(): HttpError {
  return new HttpError(408, "Cannot wait for request body");
}

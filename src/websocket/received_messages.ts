/**
 * What the messages that have arrived at one connection count for in the
 * server's budget: each from when it arrives until the next one is asked for.
 * While its receiver works on it, or waits for the client to read the answer, it
 * is held.
 *
 * @module
 */

import { type BufferBudget, MAX_FREE_BYTES } from "./buffer_budget.ts";

/** Counts the messages of one connection. */
export class ReceivedMessages {
  readonly #budget: BufferBudget;
  /** What those that wait count for, together. */
  #waiting = 0;
  /** The size of the one that was taken last. */
  #taken = 0;

  /** Counts nothing yet. */
  constructor(budget: BufferBudget) {
    this.#budget = budget;
  }

  /**
   * A message has arrived.
   *
   * @throws {WebSocketError} With 1013 if the budget has no room for it.
   */
  arrive(size: number): void {
    this.#budget.resize(0, size);
    if (size > MAX_FREE_BYTES) this.#waiting += size;
  }

  /** A message was taken: the one before is not held any more. */
  take(size: number): void {
    this.forgetTaken();
    if (size > MAX_FREE_BYTES) this.#waiting -= size;
    this.#taken = size;
  }

  /** The message that was taken last is not held any more. */
  forgetTaken(): void {
    this.#budget.resize(this.#taken, 0);
    this.#taken = 0;
  }

  /** Those that wait were dropped. */
  dropWaiting(): void {
    this.#budget.resize(this.#waiting, 0);
    this.#waiting = 0;
  }
}

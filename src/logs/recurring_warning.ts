/**
 * A warning that any client can cause, such as by connecting, is logged now and
 * then, and not each time: else a client could fill the disk of the log.
 *
 * @module
 */

const INTERVAL_MS = 10_000;

/** Says when a warning is due, and how often it was held back before. */
export class RecurringWarning {
  #dueAt = -Infinity;
  #heldBack = 0;

  /**
   * Counts an occurrence at `now`, in milliseconds.
   *
   * @returns The end of the warning's message if it is due: how many were held
   * back, if any were. `undefined` if this one is held back.
   */
  occur(now: number = performance.now()): string | undefined {
    if (now < this.#dueAt) {
      this.#heldBack++;
      return undefined;
    }
    const count = this.#heldBack;
    this.#dueAt = now + INTERVAL_MS;
    this.#heldBack = 0;
    return count === 0 ? "" : ` (${count} like this were held back)`;
  }
}

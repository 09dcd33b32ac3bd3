/**
 * Counts lost lines, and reports them now and then.
 *
 * @module
 */

/** Called with the number of lines, and the error of the write that lost them. */
export type LossListener = (lines: number, error: unknown) => void;

/** How often losses are reported at most, in milliseconds. */
const INTERVAL_MS = 10_000;

/** The lines that a writer has lost. */
export class LossReport {
  readonly #onLost: LossListener | undefined;
  #lines = 0;
  #reported = 0;
  #error: unknown;
  #nextMs = 0;

  /** `onLost` is called with what was lost since its last call. */
  constructor(onLost: LossListener | undefined) {
    this.#onLost = onLost;
  }

  /** How many lines were lost so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Counts lost lines, and reports them if it is time to. */
  add(lines: number, error: unknown): void {
    this.#lines += lines;
    this.#error = error;
    this.reportIfDue();
  }

  /** Reports what was lost since the last report, if that is long ago. */
  reportIfDue(): void {
    if (performance.now() >= this.#nextMs) this.report();
  }

  /** Reports what was lost since the last report. */
  report(): void {
    const lines = this.#lines - this.#reported;
    if (lines === 0) return;
    this.#reported = this.#lines;
    this.#nextMs = performance.now() + INTERVAL_MS;
    try {
      this.#onLost?.(lines, this.#error);
    } catch {
      // There is no other place to report it.
    }
  }
}

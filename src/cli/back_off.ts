/**
 * How long to wait before something that failed is tried again: twice as long
 * each time, from a tenth of a second to half a minute.
 *
 * @module
 */

/** How a {@linkcode BackOff} behaves. */
export interface BackOffOptions {
  /** The first wait, in milliseconds. Default: 100. */
  readonly minMs?: number;
  /** The longest wait, in milliseconds. Default: 30 s. */
  readonly maxMs?: number;
  /** What lived so long was sound: the waits start anew. Default: 10 s. */
  readonly soundMs?: number;
}

/** Waits that grow while failures follow each other closely. */
export class BackOff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #soundMs: number;
  #nextMs: number;

  /** A back-off that has seen no failure yet. */
  constructor(
    { minMs = 100, maxMs = 30_000, soundMs = 10_000 }: BackOffOptions = {},
  ) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#soundMs = soundMs;
    this.#nextMs = minMs;
  }

  /** How long to wait, in milliseconds, after the failure of what lived `livedMs`. */
  afterFailure(livedMs: number): number {
    if (livedMs >= this.#soundMs) this.#nextMs = this.#minMs;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(2 * waitMs, this.#maxMs);
    return waitMs;
  }
}

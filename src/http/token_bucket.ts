/**
 * A budget that is refilled by time: what a client may do now and then, but not
 * all the time.
 *
 * @module
 */

/** How many of something there may be at once, and how many more each second. */
export interface Rate {
  /** At once. */
  readonly burst: number;
  /** Each second. */
  readonly perSecond: number;
}

/** A clock in milliseconds that never goes back. */
export type Clock = () => number;

/** Tokens that are used up, and refilled by time. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /** Full at first. */
  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledAt = clock();
  }

  /** Takes tokens; `false` if there are not as many. */
  take(count: number): boolean {
    this.#refill();
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  #refill(): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#clock();
    const added = (now - this.#filledAt) / 1000 * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + added);
    this.#filledAt = now;
  }
}

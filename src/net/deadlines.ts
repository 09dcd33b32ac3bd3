/**
 * Deadlines that cost nothing to arm: one coarse clock ticks for all of them,
 * and each is a number to compare. A deadline never expires too early, and at
 * most two ticks too late.
 *
 * @module
 */

/** A clock for the deadlines of many connections. */
export class DeadlineClock {
  readonly #tickMs: number;
  readonly #deadlines = new Set<CoarseDeadline>();
  /** Its first tick; later ones come from the timer. */
  #first: AbortSignal | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = 0;

  /** A clock that ticks every `tickMs` milliseconds while it has deadlines. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** The number of deadlines that are watched. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** The first tick that is certainly `ms` milliseconds away. */
  after(ms: number): number {
    return this.#now + Math.ceil(ms / this.#tickMs) + 1;
  }

  /** Creates a deadline, which is watched until it is disposed of. */
  create(): CoarseDeadline {
    const deadline = new CoarseDeadline(this);
    this.#deadlines.add(deadline);
    if (this.#timer === undefined) this.#start();
    return deadline;
  }

  /** Watches a deadline no longer. */
  forget(deadline: CoarseDeadline): void {
    this.#deadlines.delete(deadline);
    if (this.#deadlines.size > 0) return;
    // A listener keeps the process alive.
    this.#first?.removeEventListener("abort", this.#goOn);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    // Timers take 5 ms to be loaded, and the first client would wait for that.
    this.#first ??= AbortSignal.timeout(this.#tickMs);
    if (this.#first.aborted) this.#startTimer();
    else this.#first.addEventListener("abort", this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#startTimer();
    this.#tick();
  };

  #startTimer(): void {
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    // A connection keeps the process alive, its deadline need not.
    Deno.unrefTimer(this.#timer);
  }

  #tick(): void {
    this.#now++;
    for (const deadline of this.#deadlines) deadline.check(this.#now);
  }
}

/** One deadline of a {@linkcode DeadlineClock}. */
export class CoarseDeadline {
  readonly #clock: DeadlineClock;
  #expiry = Infinity;
  #onExpiry: (() => void) | undefined;

  /** Created by the clock. */
  constructor(clock: DeadlineClock) {
    this.#clock = clock;
  }

  /** Calls `onExpiry` in `ms` milliseconds, unless armed again or disarmed. */
  arm(ms: number, onExpiry: () => void): void {
    this.#expiry = this.#clock.after(ms);
    this.#onExpiry = onExpiry;
  }

  /** Calls nothing any more. */
  disarm(): void {
    this.#expiry = Infinity;
  }

  /** Expires if its tick has come. */
  check(now: number): void {
    if (now < this.#expiry) return;
    this.#expiry = Infinity;
    this.#onExpiry?.();
  }

  /** Disarms for good. */
  [Symbol.dispose](): void {
    this.disarm();
    this.#clock.forget(this);
  }
}

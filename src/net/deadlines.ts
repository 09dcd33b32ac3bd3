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
  /** Each knows its slot; a `Set` would keep those that have left in memory. */
  readonly #deadlines: CoarseDeadline[] = [];
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
    return this.#deadlines.length;
  }

  /** The first tick that is certainly `ms` milliseconds away. */
  after(ms: number): number {
    return this.#now + Math.ceil(ms / this.#tickMs) + 1;
  }

  /** Creates a deadline, which is watched until it is disposed of. */
  create(): CoarseDeadline {
    const deadline = new CoarseDeadline(this, this.#deadlines.length);
    this.#deadlines.push(deadline);
    if (this.#timer === undefined) this.#start();
    return deadline;
  }

  /** Watches the deadline in a slot no longer; the last one takes its place. */
  forget(slot: number): void {
    const last = this.#deadlines.pop()!;
    if (slot < this.#deadlines.length) {
      this.#deadlines[slot] = last;
      last.moveTo(slot);
    }
    if (this.#deadlines.length > 0) return;
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
    // Those that expire may dispose of others, and create some.
    const due = this.#deadlines.filter((each) => each.isDue(this.#now));
    for (const deadline of due) deadline.check(this.#now);
  }
}

/** One deadline of a {@linkcode DeadlineClock}. */
export class CoarseDeadline {
  readonly #clock: DeadlineClock;
  #slot: number | undefined;
  #expiry = Infinity;
  #onExpiry: (() => void) | undefined;

  /** Created by the clock. */
  constructor(clock: DeadlineClock, slot: number) {
    this.#clock = clock;
    this.#slot = slot;
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

  /** Its slot is another one from now on. */
  moveTo(slot: number): void {
    this.#slot = slot;
  }

  /** Whether its tick has come. */
  isDue(now: number): boolean {
    return now >= this.#expiry;
  }

  /** Expires if its tick has come. */
  check(now: number): void {
    if (!this.isDue(now)) return;
    this.#expiry = Infinity;
    this.#onExpiry?.();
  }

  /** Disarms for good. */
  [Symbol.dispose](): void {
    this.disarm();
    if (this.#slot === undefined) return;
    this.#clock.forget(this.#slot);
    this.#slot = undefined;
  }
}

/**
 * Accepting. `for await` over a listener ends at the first error of accept,
 * such as too many open files; here accepting goes on, with back-off. A
 * listener that is closed resets the connections that wait in its queue, so
 * a loop can be drained first.
 *
 * @module
 */

const MIN_BACK_OFF_MS = 5;
const MAX_BACK_OFF_MS = 1000;
/** A busy listener's queue may never be empty. */
const MAX_DRAIN_MS = 1000;
/** A longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A connection as it was accepted. */
export type AcceptedConn = Deno.Conn;

/** What an accept loop tells of. */
export interface AcceptEvents {
  /** A connection was accepted; accepting goes on when this resolves. */
  onConnection(conn: AcceptedConn): Promise<void> | void;
  /** Accepting failed, and is tried again in `retryMs` milliseconds. */
  onAcceptError(error: unknown, retryMs: number): void;
}

/** Accepts the connections of a listener, and closes it in the end. */
export class AcceptLoop {
  /**
   * Resolves when the loop was closed and nothing is being accepted any more;
   * rejects if the listener was lost.
   */
  readonly over: Promise<void>;

  readonly #listener: Deno.Listener;
  readonly #events: AcceptEvents;
  readonly #closing = new AbortController();
  /** Whether an accept is pending, and how many have succeeded. */
  #waiting = false;
  #accepted = 0;
  #draining = false;

  /** Starts to accept. */
  constructor(listener: Deno.Listener, events: AcceptEvents) {
    this.#listener = listener;
    this.#events = events;
    this.over = this.#run();
  }

  /**
   * Accepts what waits already. Under load, the loop then closes the listener
   * itself, right behind an accept that found nothing; else this resolves when
   * an accept stays pending while the event loop turns over, twice; or after a
   * second.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    const end = performance.now() + MAX_DRAIN_MS;
    let before = -1;
    while (!this.#waiting || this.#accepted !== before) {
      if (this.#closing.signal.aborted) return;
      if (signal.aborted || performance.now() > end) return;
      before = this.#accepted;
      await delay(1, signal);
      await delay(1, signal);
    }
  }

  /** Closes the listener, and ends the loop; idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#listener.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let backOffMs = MIN_BACK_OFF_MS;
    let accepted = this.#accept();
    while (true) {
      let conn: Deno.Conn | undefined;
      try {
        conn = await accepted;
        backOffMs = MIN_BACK_OFF_MS;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Deno.errors.BadResource) throw error;
        this.#events.onAcceptError(error, backOffMs);
        await delay(backOffMs, signal);
        backOffMs = Math.min(2 * backOffMs, MAX_BACK_OFF_MS);
      }
      const next = conn && this.#draining ? this.#lookFurther() : undefined;
      next?.catch(() => {}); // The close ends it, while this waits below.
      if (conn !== undefined) await this.#events.onConnection(conn);
      if (signal.aborted && next === undefined) return;
      accepted = next ?? this.#accept();
    }
  }

  /**
   * An accept looks into the queue at once, unless the event loop has had its
   * share of work in this turn: then in the next. The time between a look that
   * finds nothing and the close is short: what comes in it is reset.
   */
  async #lookFurther(): Promise<Deno.Conn> {
    const next = this.#accept();
    next.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#waiting) this.close();
    return await next;
  }

  async #accept(): Promise<Deno.Conn> {
    this.#waiting = true;
    try {
      const conn = await this.#listener.accept();
      this.#accepted++;
      return conn;
    } finally {
      this.#waiting = false;
    }
  }
}

/** Waits `ms` milliseconds (24 days at most), or until the signal is aborted. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

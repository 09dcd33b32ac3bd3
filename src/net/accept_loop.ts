/**
 * The accept loop. `for await` over a listener ends at the first error of accept;
 * this loop continues. When it does depends on the error:
 *
 * - A connection that was reset while it waited to be accepted fails its own
 *   accept. Any client can do that, so the next one is accepted at once.
 * - Where descriptors or memory are used up, trying again at once would only
 *   burn time: the loop waits, longer each time.
 * - Of an error that it does not know, the loop assumes that it may be either:
 *   it waits too briefly to hold up clients, and too long to spin.
 *
 * A listener that is closed resets the connections that wait in its queue, so
 * a loop can be drained first.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";

const MIN_BACK_OFF_MS = 5;
const MAX_BACK_OFF_MS = 1000;
/** The wait after an error that is not known. */
const UNKNOWN_RETRY_MS = 5;
/** Errors of a process, or a system, that has used up its descriptors or memory. */
const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/**
 * Errors of the one connection that was to be accepted: it was reset, or the
 * network lost it, which Linux reports by accept.
 */
const LOST = new Set([
  ...["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPROTO"],
  ...["ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH"],
]);
/** A busy listener's queue may never be empty. */
const MAX_DRAIN_MS = 1000;
/** The longest timer; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A connection as it was accepted. */
export type AcceptedConn = Deno.Conn;

/** Why an accept has failed, and what comes next. */
export interface AcceptFailure {
  /** Whether one connection was lost, or resources are used up. */
  readonly cause: "lost" | "exhausted" | "unknown";
  /** What accept has thrown. */
  readonly error: unknown;
  /** Milliseconds until the next accept. */
  readonly retryMs: number;
}

/** What an accept loop reports. */
export interface AcceptEvents {
  /** A connection was accepted; accepting goes on when this resolves. */
  onConnection(conn: AcceptedConn): Promise<void> | void;
  /** Accepting failed, and goes on after `retryMs`. */
  onFailure(failure: AcceptFailure): void;
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
  #backOffMs = MIN_BACK_OFF_MS;

  /** Starts to accept. */
  constructor(listener: Deno.Listener, events: AcceptEvents) {
    this.#listener = listener;
    this.#events = events;
    this.over = this.#run();
  }

  /**
   * Accepts what waits already. Under load, the loop then closes the listener
   * itself, right after an accept that found nothing; else this resolves when
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
    let accepted = this.#accept();
    while (true) {
      let conn: Deno.Conn | undefined;
      try {
        conn = await accepted;
        this.#backOffMs = MIN_BACK_OFF_MS;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Deno.errors.BadResource) throw error;
        await this.#waitAfter(error);
      }
      // The close may end it while this waits below, and awaits it then.
      const next = conn && this.#draining
        ? handled(this.#lookFurther())
        : undefined;
      if (conn !== undefined) await this.#events.onConnection(conn);
      if (signal.aborted && next === undefined) return;
      accepted = next ?? this.#accept();
    }
  }

  /** Reports a failed accept, and waits as long as its cause asks for. */
  async #waitAfter(error: unknown): Promise<void> {
    const cause = causeOf(error);
    const retryMs = this.#retryMs(cause);
    this.#events.onFailure({ cause, error, retryMs });
    if (retryMs > 0) await delay(retryMs, this.#closing.signal);
  }

  #retryMs(cause: AcceptFailure["cause"]): number {
    if (cause === "lost") return 0;
    if (cause === "unknown") return UNKNOWN_RETRY_MS;
    const retryMs = this.#backOffMs;
    this.#backOffMs = Math.min(2 * retryMs, MAX_BACK_OFF_MS);
    return retryMs;
  }

  /**
   * An accept polls the queue at once, unless the event loop has had its share of
   * work in this turn: then in the next. The time between a poll that finds
   * nothing and the close is short: connections that complete in it are reset.
   */
  async #lookFurther(): Promise<Deno.Conn> {
    const next = handled(this.#accept()); // Awaited in the next turn.
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

function causeOf(error: unknown): AcceptFailure["cause"] {
  const code = String((error as { code?: unknown }).code);
  if (EXHAUSTED.has(code)) return "exhausted";
  return LOST.has(code) ? "lost" : "unknown";
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

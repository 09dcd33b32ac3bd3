/**
 * The application's own start and stop, which are waited for, but not for ever.
 *
 * @module
 */

import { type LifespanCycle, LifespanError } from "../asgi/lifespan_cycle.ts";
import { delay } from "../net/accept_loop.ts";
import type { ResolvedOptions } from "./options.ts";
import type { ServerLog } from "./server_log.ts";

/** What starting and stopping an application works with. */
export interface ApplicationOptions {
  /** How long each may take. */
  readonly options: Pick<ResolvedOptions, "startupTimeout" | "shutdownTimeout">;
  /** Gets what there is to say of the start. */
  readonly log: ServerLog;
}

/** An application that is started and stopped by its lifespan. */
export class Application {
  readonly #lifespan: LifespanCycle;
  readonly #given: ApplicationOptions;

  /** Nothing is started yet. */
  constructor(lifespan: LifespanCycle, given: ApplicationOptions) {
    this.#lifespan = lifespan;
    this.#given = given;
  }

  /**
   * Starts the application; it is waited for no longer once `cut` is aborted.
   *
   * @throws {LifespanError} If it fails, or takes too long.
   */
  async start(cut: AbortSignal): Promise<void> {
    await within(this.#lifespan.startup(), {
      ms: this.#given.options.startupTimeout,
      cut,
      failure: "Cannot start application",
      cause: () => this.#lifespan.fault?.error,
    });
    this.#reportStart();
  }

  #reportStart(): void {
    const { log } = this.#given;
    const { supported, fault, failedStart, message } = this.#lifespan;
    if (supported) {
      if (message === "") return;
      log.say("warn", `The application has started, and says: ${message}`);
    } else if (failedStart !== undefined) {
      const warning =
        "The application failed to start, and is served all the same";
      log.say("warn", warning, failedStart.error);
    } else if (fault !== undefined) {
      log.say("debug", "The application has no lifespan", fault.error);
    }
  }

  /**
   * Stops the application; it is waited for no longer once `cut` is aborted.
   *
   * @throws {LifespanError} If it fails, or takes too long.
   */
  async stop(cut: AbortSignal): Promise<void> {
    await within(this.#lifespan.shutdown(), {
      ms: this.#given.options.shutdownTimeout,
      cut,
      failure: "Cannot stop application",
      cause: () => this.#lifespan.fault?.error,
    });
  }
}

/** How long an application is waited for, and what is said of one that is not. */
interface Patience {
  readonly ms: number;
  /** Aborted when it is waited for no longer. */
  readonly cut: AbortSignal;
  readonly failure: string;
  /** What may have kept it, if anything is known. */
  cause(): unknown;
}

/** Waits for the application, but not for ever. */
async function within(
  waiting: Promise<void>,
  { ms, cut, failure, cause }: Patience,
): Promise<void> {
  // Timers take 5 ms to load, and most applications need none here.
  if (await isSettledSoon(waiting)) return await waiting;
  const done = new AbortController();
  try {
    await Promise.race([waiting, tooLate(done.signal)]);
  } finally {
    done.abort();
  }
  async function tooLate(done: AbortSignal): Promise<void> {
    await delay(ms, AbortSignal.any([done, cut]));
    await delay(0, done); // It may be about to be complete.
    if (done.aborted) return;
    const reason = cut.aborted
      ? "the server was cut short"
      : `it takes more than ${ms} ms`;
    throw new LifespanError(`${failure}: ${reason}`, { cause: cause() });
  }
}

/** Whether a promise is settled before anything else can happen. */
async function isSettledSoon(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  for (let turns = 0; turns < 16 && !settled; turns++) await undefined;
  return settled;
}

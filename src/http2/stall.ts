/**
 * The patience with a client that does not let content through: it must grant a
 * window for 1 KiB, or for all that waits, again and again. A byte now and then is
 * no progress (CVE-2019-9511, CVE-2016-1546).
 *
 * It is not to blame where it has granted a window to the stream, and what goes
 * over the connection is the content of others, which go first. When that stops,
 * it has the whole time again.
 *
 * @module
 */

import type { DisposableDeadline } from "../streams/deadline.ts";
import { MIN_PROGRESS_BYTES } from "./limits.ts";

/** Watches the content that waits on one stream. */
export class Stall {
  readonly #deadline: DisposableDeadline;
  readonly #timeout: number;
  readonly #onStalled: () => void;
  readonly #sentInstead: () => number;
  #progress = 0;
  #sentBefore = 0;

  /**
   * Calls `onStalled` after `timeout` milliseconds without progress. `sentInstead`
   * counts the bytes of other streams, where those are what is waited for.
   */
  constructor(
    deadline: DisposableDeadline,
    timeout: number,
    onStalled: () => void,
    sentInstead: () => number = () => 0,
  ) {
    this.#deadline = deadline;
    this.#timeout = timeout;
    this.#onStalled = onStalled;
    this.#sentInstead = sentInstead;
  }

  /** Content begins to wait. */
  begin(): void {
    this.#progress = 0;
    this.#sentBefore = this.#sentInstead();
    this.#deadline.arm(this.#timeout, this.#expired);
  }

  readonly #expired = (): void => {
    const sent = this.#sentInstead() - this.#sentBefore;
    if (sent >= MIN_PROGRESS_BYTES) this.begin();
    else this.#onStalled();
  };

  /** So many bytes were sent, and so many wait still. */
  sent(bytes: number, waiting: number): void {
    this.#progress += bytes;
    if (waiting === 0) this.#deadline.disarm();
    else if (this.#progress >= MIN_PROGRESS_BYTES) this.begin();
  }

  /** Watches no more. */
  end(): void {
    this.#deadline[Symbol.dispose]();
  }
}

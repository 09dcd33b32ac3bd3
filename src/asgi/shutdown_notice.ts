/**
 * The extension `server.shutdown`: how an application with long-lived responses
 * learns that the server wants to stop, while its client is still there. It is
 * apart from the disconnect: responses may go on, and should come to their end.
 *
 * An application opts in by looking at `signal`: one that does not costs no
 * signal.
 *
 * @module
 */

import type { ShutdownExtension } from "./types.ts";

/** What tells of its end, for whoever asks in time. */
export interface Ending {
  /** Whether it has ended. */
  readonly ended: boolean;
  /** Called once, at the end. */
  onEnd: (() => void) | undefined;
}

/** The notices of all requests of a server. */
export class ShutdownNotices {
  readonly #watched = new Set<ShutdownNotice>();
  #announced = false;

  /** Whether the server stops. */
  get announced(): boolean {
    return this.#announced;
  }

  /** Makes the notice of one request, which matters until `cycle` ends. */
  create(cycle: Ending): ShutdownNotice {
    return new ShutdownNotice(this, cycle);
  }

  /** Aborts every signal that was looked at, or will be. */
  announce(): void {
    this.#announced = true;
    for (const notice of this.#watched) notice.announce();
  }

  /** Tells `notice` of the shutdown, if that comes before the end of `cycle`. */
  watch(notice: ShutdownNotice, cycle: Ending): void {
    this.#watched.add(notice);
    cycle.onEnd = () => this.#watched.delete(notice);
  }
}

/** What one request sees of it. */
export class ShutdownNotice implements ShutdownExtension {
  readonly #notices: ShutdownNotices;
  readonly #cycle: Ending;
  #controller: AbortController | undefined;

  /** Created by {@linkcode ShutdownNotices}. */
  constructor(notices: ShutdownNotices, cycle: Ending) {
    this.#notices = notices;
    this.#cycle = cycle;
  }

  /** Aborted when the server begins to stop. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#notices.announced) this.announce();
      else if (!this.#cycle.ended) this.#notices.watch(this, this.#cycle);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal. */
  announce(): void {
    this.#controller?.abort(
      new DOMException("The server shuts down", "AbortError"),
    );
  }
}

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

import { handled } from "../streams/handled.ts";
import type { ShutdownExtension } from "./types.ts";

/** What comes to an end, such as a request. */
export interface Ending {
  /** Resolves at the end. */
  readonly over: Promise<void>;
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

  /** Aborts every signal that is used, or will be. */
  announce(): void {
    this.#announced = true;
    for (const notice of this.#watched) notice.announce();
  }

  /** Announces the shutdown to `notice`, if it comes before the end of `cycle`. */
  watch(notice: ShutdownNotice, cycle: Ending): void {
    this.#watched.add(notice);
    // A cycle that fails is reported by what runs it.
    handled(cycle.over.finally(() => this.#watched.delete(notice)));
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
      else this.#notices.watch(this, this.#cycle);
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

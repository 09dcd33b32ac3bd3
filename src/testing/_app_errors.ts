/**
 * What applications throw, and whether a test knows of it: what no response
 * and no WebSocket has raised is raised at the client's end, so that no error
 * goes unnoticed.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { nextTurn } from "./_timing.ts";

/** The errors of all calls of an application. */
export class AppErrors {
  /** All of them, in order. */
  readonly all: unknown[] = [];
  /** Whether tests are to hear of them by exceptions. */
  readonly raising: boolean;
  readonly #raised = new Set<unknown>();

  /** Nothing has failed yet. */
  constructor(raising: boolean) {
    this.raising = raising;
  }

  /** The promise; a test that awaits its rejection knows of the error. */
  raise<T>(promise: Promise<T>): Promise<T> {
    // What no test awaits is thrown at the end.
    return handled(promise.catch((error) => {
      this.#raised.add(error);
      throw error;
    }));
  }

  /** Throws what no test knows of. */
  throwRest(): void {
    if (!this.raising) return;
    const rest = this.all.filter((error) => !this.#raised.has(error));
    if (rest.length === 0) return;
    if (rest.length === 1) throw rest[0];
    throw new AggregateError(rest, "The application failed several times");
  }
}

/** The errors of one call. */
export class CallErrors {
  readonly #errors: AppErrors;
  #first: { readonly error: unknown } | undefined;

  /** The call has not failed yet. */
  constructor(errors: AppErrors) {
    this.#errors = errors;
  }

  /** The application has failed. */
  add(error: unknown): void {
    this.#first ??= { error };
    this.#errors.all.push(error);
  }

  /** What is to be raised, so far. */
  get current(): { readonly error: unknown } | undefined {
    return this.#errors.raising ? this.#first : undefined;
  }

  /**
   * What is to be raised. An event that breaks the response off does so before
   * its rejected `send` has passed through the application.
   */
  async settled(): Promise<{ readonly error: unknown } | undefined> {
    if (!this.#errors.raising) return undefined;
    if (this.#first === undefined) await nextTurn();
    return this.#first;
  }

  /** As {@linkcode AppErrors.raise}. */
  raise<T>(promise: Promise<T>): Promise<T> {
    return this.#errors.raise(promise);
  }
}

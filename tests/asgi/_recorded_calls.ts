// What a cycle reports of its application, kept for the tests.

import type { AppCalls } from "../../src/asgi/app_calls.ts";
import { isInstance, readMember } from "../../src/asgi/user_code.ts";

/** The reports of one call of an application. */
export class RecordedCalls implements AppCalls {
  /** The reported faults of the application. */
  readonly errors: unknown[] = [];
  /** The reported refusals of its events. */
  readonly refused: unknown[] = [];
  /** The types of the events that were ignored. */
  readonly ignored: string[] = [];
  readonly #returned = Promise.withResolvers<void>();

  /**
   * Resolves when the application has returned; rejects if an assertion in it
   * has failed.
   */
  get returned(): Promise<void> {
    return this.#returned.promise;
  }

  onAppError(error: unknown): void {
    this.errors.push(error);
    if (isAssertion(error)) this.#returned.reject(error);
  }

  onRefusedEvent(error: unknown): void {
    this.refused.push(error);
  }

  onIgnoredEvent(type: string): void {
    this.ignored.push(type);
  }

  onAppReturned(): void {
    this.#returned.resolve();
  }
}

/** What is known of any run of an application. */
interface AnyRun {
  readonly errors: readonly unknown[];
  readonly finished: Promise<void>;
  readonly returned: Promise<void>;
}

/** Waits for the end of a run, whose application may fail. */
export async function ended<Run extends AnyRun>(run: Run): Promise<Run> {
  await Promise.all([run.finished, run.returned]);
  return run;
}

/** Waits for the end of a run, whose application must be faultless. */
export async function faultless<Run extends AnyRun>(run: Run): Promise<Run> {
  await ended(run);
  if (run.errors.length > 0) throw run.errors[0];
  return run;
}

function isAssertion(error: unknown): boolean {
  return isInstance(error, Error) &&
    readMember(error, "name") === "AssertionError";
}

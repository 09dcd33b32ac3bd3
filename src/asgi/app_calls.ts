/**
 * What a cycle reports to the server of the application that it calls.
 *
 * @module
 */

/** Is called for each call of an application, by the cycles of all protocols. */
export interface AppCalls {
  /** The application has thrown, or has failed to send something. */
  onAppError(error: unknown): void;
  /**
   * Called when the application has returned, with what the first of its events
   * was refused with, if that has not come to light by what it has thrown.
   */
  onRefusedEvent(error: unknown): void;
  /** An event was ignored. */
  onIgnoredEvent(type: string): void;
  /** The application has returned. */
  onAppReturned(): void;
}

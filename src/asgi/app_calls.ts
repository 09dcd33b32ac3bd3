/**
 * What a cycle tells the server of the application that it calls.
 *
 * @module
 */

/** Told of the calls of an application, by the cycles of all protocols. */
export interface AppCalls {
  /** Told of what an application threw, or failed to send. */
  onAppError(error: unknown): void;
  /**
   * Called when the application has returned, with what the first of its events
   * was refused with, if that has not come to light by what it has thrown.
   */
  onRefusedEvent(error: unknown): void;
  /** Told of an event that was ignored. */
  onIgnoredEvent(type: string): void;
  /** Told when the application has returned. */
  onAppReturned(): void;
}

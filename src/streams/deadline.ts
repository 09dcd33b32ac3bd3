/**
 * A time limit on one wait, as protocols see it: they have no timers of their own.
 *
 * @module
 */

/** A re-armable timer that bounds a wait. */
export interface Deadline {
  /**
   * Calls `onExpiry` once, `ms` milliseconds from now or a little later, unless
   * it is armed again or disarmed before. `Infinity` never expires.
   */
  arm(ms: number, onExpiry: () => void): void;
  /** Calls nothing any more. */
  disarm(): void;
}

/** A deadline that is given back when it is not needed any more. */
export type DisposableDeadline = Deadline & Disposable;

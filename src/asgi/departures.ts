/**
 * How clients leave, and who is told: an object, not a function, because a
 * closure for each request would keep more alive than itself.
 *
 * @module
 */

/** How the client left: it said that it sends no more, or it cannot be reached. */
export type Departure = "half-closed" | "lost";

/** Told when a client leaves. */
export interface DepartureWatcher {
  /** Called once, or twice if the client is lost after a half close. */
  departed(how: Departure): void;
}

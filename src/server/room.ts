/**
 * Which connections are closed so that others have room, where a limit or the
 * descriptors are used up:
 *
 * 1. those that are idle after a response, which clients expect;
 * 2. those whose client has kept the server waiting for a second while no
 *    request was being handled: for the first byte, for a handshake or the rest
 *    of a head, or for its end. A client of good will needs less.
 *
 * Each in the order of age. A request that is being handled, and a WebSocket, is
 * never cut for others: a flood of connections does no harm to those in use.
 *
 * @module
 */

/** How long a client may keep the server waiting while others need the room. */
const GRACE_MS = 1000;

/** What takes up room. */
export interface Evictable {
  /** Whether it is idle, so that its client expects that it may be closed. */
  readonly evictable: boolean;
  /**
   * Since when its client has kept the server waiting, by the clock of
   * `performance`; `undefined` while a request is being handled.
   */
  readonly waitingSince: number | undefined;
  /** Closes it; idempotent. */
  evict(): void;
}

/**
 * Closes the connection that is the first to make room, if its time has come.
 *
 * @returns In how many milliseconds that will be; 0 if it was closed, `Infinity`
 * if there is none.
 */
export function evictOne(
  connections: Iterable<Evictable>,
  now: number = performance.now(),
): number {
  let first: Evictable | undefined;
  let dueAt = Infinity;
  for (const connection of connections) {
    const due = dueTime(connection);
    if (due < dueAt) [first, dueAt] = [connection, due];
    if (due === 0) break;
  }
  if (dueAt <= now) first?.evict();
  return Math.max(0, dueAt - now);
}

/** Closes those that are the first to make room, at most `count`. */
export function evictSome(
  connections: Iterable<Evictable>,
  count: number,
  now: number = performance.now(),
): void {
  const due = [...connections].filter((each) => dueTime(each) <= now);
  due.sort((a, b) => dueTime(a) - dueTime(b));
  for (const connection of due.slice(0, count)) connection.evict();
}

/** From when on a connection may be closed for others. */
function dueTime({ evictable, waitingSince }: Evictable): number {
  if (evictable) return 0;
  return waitingSince === undefined ? Infinity : waitingSince + GRACE_MS;
}

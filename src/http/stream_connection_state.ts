/**
 * The states of a connection of HTTP/2 or HTTP/3, and the events that lead from one
 * to the next, as data. What its streams do meanwhile, each version has in a table
 * of its own.
 *
 * A server leaves in two steps (RFC 9113, section 6.8; RFC 9114, section 5.2): it says that it is about
 * to leave, and only when the client must know, which was its last request. So
 * none that is on its way is lost.
 *
 * @module
 */

/** How far a connection has come. */
export type ConnectionState =
  /** The SETTINGS of the client have not come. */
  | "fresh"
  /** Requests are served. */
  | "open"
  /** The client was asked to begin no more streams. */
  | "leaving"
  /** Streams that it has begun since are not served. */
  | "left"
  /** Everything was sent: it is closed when that has arrived. */
  | "lingering"
  /** Both directions are closed. */
  | "closed";

/** What happens to a connection. */
export type ConnectionEvent =
  /** The SETTINGS of the client have come. */
  | "settings"
  /** The server wants to leave. */
  | "leave"
  /** The client has seen that, or had the time for it. */
  | "last stream"
  /** Nothing is owed any more, or the client has broken a rule. */
  | "done"
  | "close";

/** From each state, the events that may come, and where they lead. */
export const CONNECTION_TABLE: Readonly<
  Record<
    ConnectionState,
    Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>
  >
> = {
  "fresh": {
    "settings": "open",
    "leave": "leaving",
    "done": "lingering",
    "close": "closed",
  },
  "open": { "leave": "leaving", "done": "lingering", "close": "closed" },
  "leaving": {
    "settings": "leaving",
    "last stream": "left",
    "done": "lingering",
    "close": "closed",
  },
  "left": { "settings": "left", "done": "lingering", "close": "closed" },
  "lingering": { "close": "closed" },
  "closed": {},
};

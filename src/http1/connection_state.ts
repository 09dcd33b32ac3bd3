/**
 * The states of one HTTP/1 connection: what it does, and what may come next.
 *
 * The table below is all there is to it. An event that a state does not list is
 * a mistake of this package, and throws. What has become of the client is apart
 * from it (see {@linkcode Http1Wire}): a client may disconnect in every state.
 *
 * @module
 */

/** What a connection does. */
export type ConnectionState =
  /** It waits for the first byte of its first request. */
  | "fresh"
  /** It waits for the rest of its first head. */
  | "first head"
  /** It waits for the first byte of another request. */
  | "idle"
  /** It waits for the rest of that head. */
  | "next head"
  /** Its handler answers a request. */
  | "handling"
  /** It reads what is left of the content of a request that was answered. */
  | "draining"
  /** It answers bytes that are no request, or no content of one. */
  | "refusing"
  /** It has sent its last byte, and waits for the client to close. */
  | "lingering"
  /** Another protocol has taken it over, and will close it. */
  | "upgraded"
  /** It is closed. */
  | "closed";

/** What moves a connection to another state. */
export type ConnectionEvent =
  /** A part of a head has arrived. */
  | "bytes"
  /** A whole head has arrived. */
  | "request"
  /** A request was answered and read, and another one may come. */
  | "answered"
  /** A request was answered, and another one may come once it is read. */
  | "unread"
  /** It is read. */
  | "drained"
  /** A request was answered, and no other may come. */
  | "last"
  /** The client has sent what is no request, or no content of one. */
  | "fault"
  /** It was answered. */
  | "refused"
  /** A handler has left HTTP. */
  | "upgrade"
  /** The client has begun with the preface of HTTP/2, and is to be served so. */
  | "preface"
  /** There is nothing more to be done. */
  | "close";

/** The states that the events lead to. */
type Events = Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>;

/** From each state, the events that may come, and where they lead. */
export const CONNECTION_TABLE: Readonly<Record<ConnectionState, Events>> = {
  "fresh": {
    bytes: "first head",
    preface: "upgraded",
    request: "handling",
    fault: "refusing",
    close: "closed",
  },
  "first head": {
    bytes: "first head",
    preface: "upgraded",
    request: "handling",
    fault: "refusing",
    close: "closed",
  },
  "idle": {
    bytes: "next head",
    request: "handling",
    fault: "refusing",
    close: "closed",
  },
  "next head": {
    bytes: "next head",
    request: "handling",
    fault: "refusing",
    close: "closed",
  },
  "handling": {
    answered: "idle",
    unread: "draining",
    last: "lingering",
    upgrade: "upgraded",
    fault: "refusing",
    close: "closed",
  },
  "draining": { drained: "idle", last: "lingering", close: "closed" },
  "refusing": { refused: "lingering", close: "closed" },
  "lingering": { close: "closed" },
  "upgraded": {},
  "closed": {},
};

/** The states in which nothing is done but to wait for the client. */
const WAITING: ReadonlySet<ConnectionState> = new Set<ConnectionState>([
  "fresh",
  "first head",
  "next head",
  "draining",
  "lingering",
]);

/** Follows one connection through the table. */
export class ConnectionProgress {
  /** Whether the server wants the connection to end. */
  ending = false;

  readonly #maxRequests: number;
  #state: ConnectionState = "fresh";
  #requests = 0;
  #waitingSince: number | undefined = performance.now();

  /** The last of `maxRequests` closes the connection. */
  constructor(maxRequests: number) {
    this.#maxRequests = maxRequests;
  }

  /** What the connection does. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** How many requests there were. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether the connection is to close after the request that is handled. */
  get closing(): boolean {
    return this.ending || this.#requests >= this.#maxRequests;
  }

  /**
   * Since when the client has kept the connection waiting, by the clock of
   * `performance`; `undefined` while it is idle after a response, and while a
   * request is being handled.
   */
  get waitingSince(): number | undefined {
    return this.#waitingSince;
  }

  /**
   * Goes on to the state that an event leads to.
   *
   * @returns Whether that is another one.
   * @throws {Error} If the state does not list the event.
   */
  advance(event: ConnectionEvent): boolean {
    const before = this.#state;
    const next = CONNECTION_TABLE[before][event];
    if (next === undefined) {
      throw new Error(
        `Cannot go on with connection: "${event}" must not come in state "${before}"`,
      );
    }
    if (next === before) return false;
    this.#state = next;
    if (next === "handling") this.#requests++;
    // The first head has been waited for since the connection was made.
    if (next !== "first head") {
      this.#waitingSince = WAITING.has(next) ? performance.now() : undefined;
    }
    return true;
  }
}

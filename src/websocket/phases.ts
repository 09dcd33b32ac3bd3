/**
 * The phases of a WebSocket connection (RFC 6455, section 7), and the events that
 * lead from one to the next, as data.
 *
 * While a connection is ending, the application can still answer the messages
 * that came before the client's Close. From the server's own Close on, sends
 * reject, and messages that arrive are dropped.
 *
 * @module
 */

/** Where a connection is on its way to the end. */
export type Phase =
  /** Messages go in both directions. */
  | "open"
  /** The client has closed, or broken the protocol; the answer is due. */
  | "ending"
  /** The server's Close is being written, and the client has not closed. */
  | "closing"
  /** The server's Close was written, and the client has not closed. */
  | "awaiting"
  /** The server's Close is being written, and the client has closed. */
  | "answering"
  /** All is over. */
  | "closed";

/** What leads from one phase to another. */
export type PhaseEvent =
  /** The client's Close, or its breach of the protocol: it is read no more. */
  | "client closes"
  /** The application closes, or the answer to the client's Close is due. */
  | "close"
  /** The server's Close was accepted for writing. */
  | "close written"
  /** The client was lost, or is given up. */
  | "lost";

/** The phase after each event. An event without an entry must not occur. */
export const PHASES: Readonly<
  Record<Phase, Readonly<Partial<Record<PhaseEvent, Phase>>>>
> = {
  open: { "client closes": "ending", close: "closing", lost: "closed" },
  ending: { close: "answering", lost: "closed" },
  closing: {
    "client closes": "answering",
    "close written": "awaiting",
    lost: "closed",
  },
  awaiting: { "client closes": "closed", lost: "closed" },
  answering: { "close written": "closed", lost: "closed" },
  // A write and a read may be under way at the end: they change nothing.
  closed: {
    "client closes": "closed",
    "close written": "closed",
    lost: "closed",
  },
};

/** The phases in which messages can be sent. */
export const SENDING_PHASES: ReadonlySet<Phase> = new Set(["open", "ending"]);

/**
 * The phase that follows.
 *
 * @throws {Error} If the event must not occur in this phase.
 */
export function nextPhase(phase: Phase, event: PhaseEvent): Phase {
  const next = PHASES[phase][event];
  if (next !== undefined) return next;
  throw new Error(`Cannot go on from phase "${phase}": unexpected "${event}"`);
}

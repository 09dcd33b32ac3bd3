/**
 * The states of one response, for every wire and for the cycle of an
 * application: what may be sent when, and how much content there must be.
 *
 * The table below is all there is to it. A step that a state does not list is an
 * error, which changes nothing. Content that is longer than the head declared,
 * or ends too soon, breaks the response for good: no step is left.
 *
 * @module
 */

/** How far a response has come. */
export type ResponseState =
  /** Nothing final was sent. */
  | "start"
  /** The head is there, and no content. */
  | "head"
  /** Content has begun. */
  | "content"
  /** The content is whole, and trailers are owed. */
  | "trailers"
  /** Everything was sent. */
  | "complete"
  /** It ended before it was complete. */
  | "cut"
  /** Its content missed the length that its head declared. */
  | "broken";

/** What can be done to a response. */
export type ResponseStep =
  | "informational"
  | "upgrade"
  | "head"
  | ContentStep
  | "trailers"
  | "last trailers"
  | "cut";

/** Content: more follows; nothing follows; only trailers follow. */
export type ContentStep = "data" | "last data" | "data before trailers";

/** The states that the steps lead to. */
type Steps = Readonly<Partial<Record<ResponseStep, ResponseState>>>;

const CONTENT: Steps = {
  "data": "content",
  "last data": "complete",
  "data before trailers": "trailers",
  "cut": "cut",
};

/** From each state, the steps that may be taken, and where they lead. */
export const RESPONSE_TABLE: Readonly<Record<ResponseState, Steps>> = {
  start: {
    "informational": "start",
    "upgrade": "complete",
    "head": "head",
    "cut": "cut",
  },
  head: CONTENT,
  content: CONTENT,
  trailers: {
    "trailers": "trailers",
    "last trailers": "complete",
    "cut": "cut",
  },
  complete: {},
  cut: {},
  broken: {},
};

/**
 * Follows one response through the table. What is thrown, each layer says in the
 * words of its users.
 */
export abstract class ResponseProgress {
  #state: ResponseState = "start";
  #declared: number | undefined;
  #sent = 0;

  /** The error for a step that `state` does not list. */
  protected abstract outOfOrder(
    step: ResponseStep,
    state: ResponseState,
  ): Error;

  /** The error for content that makes `sent` bytes where `declared` are due. */
  protected abstract wrongLength(sent: number, declared: number): Error;

  /** How far the response has come. */
  get state(): ResponseState {
    return this.#state;
  }

  /** Whether nothing more can be sent. */
  get over(): boolean {
    return isOver(this.#state);
  }

  /**
   * Takes a step. Content goes by {@linkcode ResponseProgress.content}, a head by
   * {@linkcode ResponseProgress.begin}.
   *
   * @throws What `outOfOrder` makes, if the state does not list it.
   */
  advance(step: Exclude<ResponseStep, ContentStep | "head">): void {
    this.#state = this.check(step);
  }

  /**
   * Begins the response; its content must have `declared` bytes. `undefined` if
   * that is not known, or if no content is sent, whatever the head says.
   *
   * @throws What `outOfOrder` makes, if it has begun.
   */
  begin(declared: number | undefined): void {
    this.#state = this.check("head");
    this.#declared = declared;
  }

  /**
   * Counts content.
   *
   * @throws What `outOfOrder` makes, if no content is due.
   * @throws What `wrongLength` makes, if it is too much, or ends too soon.
   */
  content(bytes: number, step: ContentStep): void {
    const next = this.check(step);
    this.#sent += bytes;
    const missed = this.#declared === undefined
      ? 0
      : this.#sent - this.#declared;
    if (missed > 0 || missed < 0 && step !== "data") {
      this.#state = "broken";
      throw this.wrongLength(this.#sent, this.#declared!);
    }
    this.#state = next;
  }

  /**
   * The state that a step leads to.
   *
   * @throws What `outOfOrder` makes, if the state does not list it.
   */
  check(step: ResponseStep): ResponseState {
    const next = RESPONSE_TABLE[this.#state][step];
    if (next === undefined) throw this.outOfOrder(step, this.#state);
    return next;
  }
}

/** Whether nothing more can be sent in a state. */
export function isOver(state: ResponseState): boolean {
  return state === "complete" || state === "cut" || state === "broken";
}

/**
 * Whether a response has content, which none to HEAD has, and none with a status
 * of 204, 205 or 304 (RFC 9110, section 6.4.1): what is sent of it is dropped.
 */
export function hasContent(method: string, status: number): boolean {
  return method !== "HEAD" && status !== 204 && status !== 205 &&
    status !== 304;
}

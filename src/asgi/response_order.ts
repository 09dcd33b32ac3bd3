/**
 * The order of the events of an HTTP response, and the length that its start
 * declared. What an event does to the state is in one place, here:
 *
 * | state    | event      | next state                                     |
 * |----------|------------|------------------------------------------------|
 * | start    | early_hint | start                                          |
 * | start    | start      | body                                           |
 * | body     | body       | body; the last: trailers if declared, complete |
 * | trailers | trailers   | trailers; the last: complete                   |
 *
 * Every other event is refused and changes nothing. Content that misses the
 * declared length breaks the response for good.
 *
 * @module
 */

import { InvalidEventError } from "./errors.ts";
import type {
  EarlyHint,
  ResponseBody,
  ResponseStart,
  ResponseTrailers,
} from "./http_events.ts";

/** The events that the wire is driven with. */
export type OrderedEvent =
  | ResponseStart
  | ResponseBody
  | ResponseTrailers
  | EarlyHint;

/** Whatever length the application declares for them, nothing is sent. */
const STATUSES_WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

type State = "start" | "body" | "trailers" | "complete" | "broken";

const EXPECTED: Record<State, string> = {
  start: "http.response.start must come first",
  body: "http.response.body is due",
  trailers: "http.response.trailers is due",
  complete: "the response is complete",
  broken: "the content missed its declared length",
};

/** Follows the events of one response. */
export class ResponseOrder {
  readonly #bodyless: boolean;
  #state: State = "start";
  #trailers = false;
  #declared: number | undefined;
  #sent = 0;
  #bodyBegan = false;

  /** `bodyless`: whether the request's method allows no content (HEAD). */
  constructor(bodyless: boolean) {
    this.#bodyless = bodyless;
  }

  /** Whether every event of the response was sent. */
  get complete(): boolean {
    return this.#state === "complete";
  }

  /** Whether the response can't be completed any more. */
  get broken(): boolean {
    return this.#state === "broken";
  }

  /**
   * Goes on to the state behind `event`.
   *
   * @throws {InvalidEventError} If the event is not due.
   */
  advance(event: OrderedEvent): void {
    switch (event.type) {
      case "http.response.early_hint":
        return this.require("start", event.type);
      case "http.response.start":
        this.require("start", event.type);
        return this.#begin(event);
      case "http.response.body":
        this.require("body", event.type);
        return this.#count(event);
      case "http.response.trailers":
        this.require("trailers", event.type);
        if (!event.more_trailers) this.#state = "complete";
    }
  }

  /**
   * Checks that the response is in `state`.
   *
   * @throws {InvalidEventError} If an event of `type` is not due.
   */
  require(state: State, type: string): void {
    if (this.#state === state) return;
    throw new InvalidEventError(
      `Cannot send ${type}: ${EXPECTED[this.#state]}`,
    );
  }

  /**
   * Checks that no content was sent yet, so that a file can be all of it.
   *
   * @throws {InvalidEventError} If an event of `type` is not due.
   */
  requireNoContent(type: string): void {
    this.require("body", type);
    if (!this.#bodyBegan) return;
    throw new InvalidEventError(`Cannot send ${type}: content was sent before`);
  }

  #begin({ status, contentLength, trailers }: ResponseStart): void {
    const bodyless = this.#bodyless || STATUSES_WITHOUT_CONTENT.has(status);
    this.#state = "body";
    this.#trailers = trailers;
    this.#declared = bodyless ? undefined : contentLength;
  }

  #count({ body, more_body }: ResponseBody): void {
    this.#bodyBegan = true;
    this.#sent += body.length;
    const declared = this.#declared;
    if (
      declared !== undefined &&
      (this.#sent > declared || !more_body && this.#sent < declared)
    ) {
      this.#state = "broken";
      throw new InvalidEventError(
        `Cannot send http.response.body: ${this.#sent} bytes where content-length declared ${declared}`,
      );
    }
    if (!more_body) this.#state = this.#trailers ? "trailers" : "complete";
  }
}

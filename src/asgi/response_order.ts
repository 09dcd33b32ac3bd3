/**
 * The order of the events of an HTTP response, and the length that its start
 * declared: each event is a step of the table that all wires share,
 * {@linkcode RESPONSE_TABLE}. One that is not due is refused and changes nothing.
 *
 * @module
 */

import {
  type ContentStep,
  hasContent,
  ResponseProgress,
  type ResponseState,
  type ResponseStep,
} from "../http/response_state.ts";
import { InvalidEventError } from "./errors.ts";
import type {
  EarlyHint,
  ResponseBody,
  ResponseStart,
  ResponseTrailers,
} from "./http_events.ts";
import type {
  HttpResponsePathsendEvent,
  HttpResponseZerocopysendEvent,
} from "./types.ts";

/** Events whose content is known when they are sent. */
export type OrderedEvent =
  | ResponseStart
  | ResponseBody
  | ResponseTrailers
  | EarlyHint;

/** Events whose content is read only when their turn has come. */
export type FileEvent =
  | HttpResponsePathsendEvent
  | HttpResponseZerocopysendEvent;

const EXPECTED: Record<ResponseState, string> = {
  start: "http.response.start must come first",
  head: "http.response.body is due",
  content: "http.response.body is due",
  trailers: "http.response.trailers is due",
  complete: "the response is complete",
  cut: "the response was cut",
  broken: "the content missed its declared length",
};

/** Follows the events of one response. */
export class ResponseOrder extends ResponseProgress {
  readonly #method: string;
  #trailers = false;
  /** The type of the event that takes a step. */
  #type = "";

  /** `method` is that of the request: HEAD allows no content. */
  constructor(method: string) {
    super();
    this.#method = method;
  }

  /** Whether every event of the response was sent. */
  get complete(): boolean {
    return this.state === "complete";
  }

  /** Whether the response can't be completed any more. */
  get broken(): boolean {
    return this.state === "broken";
  }

  /**
   * Goes on to the state after `event`.
   *
   * @throws {InvalidEventError} If the event is not due, or content misses the
   * declared length.
   */
  take(event: OrderedEvent): void {
    this.#type = event.type;
    switch (event.type) {
      case "http.response.early_hint":
        return this.advance("informational");
      case "http.response.start":
        return this.#begin(event);
      case "http.response.body":
        return this.count(event.body.length, event.more_body);
      case "http.response.trailers":
        return this.advance(
          event.more_trailers ? "trailers" : "last trailers",
        );
    }
  }

  /**
   * Checks that a file is due. It is counted by {@linkcode ResponseOrder.count}
   * as its content is read; nothing else may go on before that is done.
   *
   * @throws {InvalidEventError} If it is not, or a path is not all of the content.
   */
  requireFile({ type }: FileEvent): void {
    this.#type = type;
    this.check("data");
    if (type === "http.response.zerocopysend") return;
    if (this.state === "head") return;
    throw new InvalidEventError(`Cannot send ${type}: content was sent before`);
  }

  /**
   * Counts content, and whether `more` follows.
   *
   * @throws {InvalidEventError} If it misses the declared length.
   */
  count(bytes: number, more: boolean): void {
    this.content(bytes, more ? "data" : this.#lastContent);
  }

  get #lastContent(): ContentStep {
    return this.#trailers ? "data before trailers" : "last data";
  }

  #begin({ status, contentLength, trailers }: ResponseStart): void {
    this.begin(
      hasContent(this.#method, status) ? contentLength : undefined,
    );
    this.#trailers = trailers;
  }

  protected override outOfOrder(
    _step: ResponseStep,
    state: ResponseState,
  ): InvalidEventError {
    return new InvalidEventError(
      `Cannot send ${this.#type}: ${EXPECTED[state]}`,
    );
  }

  protected override wrongLength(
    sent: number,
    declared: number,
  ): InvalidEventError {
    return new InvalidEventError(
      `Cannot send ${this.#type}: ${sent} bytes where content-length declared ${declared}`,
    );
  }
}

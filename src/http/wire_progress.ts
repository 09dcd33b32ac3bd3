/**
 * The progress of a response on a wire, in the words of those who drive one by
 * its `Exchange`.
 *
 * @module
 */

import {
  ResponseProgress,
  type ResponseState,
  type ResponseStep,
} from "./response_state.ts";

/** Follows a response on a wire; each wire adds what its steps do. */
export class WireProgress extends ResponseProgress {
  protected override outOfOrder(
    step: ResponseStep,
    state: ResponseState,
  ): Error {
    return new Error(`Cannot ${NAMES[step]}: ${REFUSALS[state]}`);
  }

  protected override wrongLength(sent: number, declared: number): Error {
    const missed = sent > declared
      ? `${sent - declared} bytes more`
      : `${declared - sent} bytes less`;
    return new RangeError(
      `Cannot send content: ${missed} than content-length declared, so the response is cut short`,
    );
  }
}

/** What a step is called in an error message. */
const NAMES: Record<ResponseStep, string> = {
  "informational": "send interim response",
  "upgrade": "upgrade",
  "head": "begin response",
  "data": "send content",
  "last data": "send content",
  "data before trailers": "send trailers",
  "trailers": "send trailers",
  "last trailers": "send trailers",
  "cut": "cut response",
};

/** What to say of a step that a state does not allow. */
const REFUSALS: Record<ResponseState, string> = {
  start: "the response has not begun: call head() first",
  head: "the response has begun: send its content",
  content: "the response has begun: send the rest of its content",
  trailers: "the response has begun: send its trailers",
  complete: "the response is complete: nothing can follow",
  cut: "the response was cut short: nothing can follow",
  broken: "the response was cut short: its content had not its declared length",
};

/**
 * What one client may cost, beyond the requests that are answered: a client that
 * has used up a budget gets H3_EXCESSIVE_LOAD, and its connection ends.
 *
 * | what is counted                                             | budget         |
 * |-------------------------------------------------------------|----------------|
 * | frames that carry nothing, streams of no known type         | 1000, 10 a request, 1 a second |
 * | requests that the client cancels                            | 100, or all under way at once, and 10 a second |
 * | the same, of more than 200 requests                         | half of them           |
 *
 * @module
 */

import { type Clock, type Rate, TokenBucket } from "../http/token_bucket.ts";
import { Http3Error } from "./errors.ts";
import {
  CANCEL_RATE,
  IDLE_FRAMES_PER_REQUEST,
  IDLE_FRAMES_PER_SECOND,
  MAX_IDLE_FRAMES,
  MIN_REQUESTS_FOR_SHARE,
} from "./limits.ts";

/** The budgets of one connection. All its methods throw an Http3Error. */
export class Budgets {
  readonly #cancelRate: Rate;
  readonly #clock: Clock;
  readonly #begunAt: number;
  #cancels: TokenBucket | undefined;
  #requests = 0;
  #cancelled = 0;
  #idleFrames = 0;

  /**
   * A client may cancel `maxRequests` at once, which are all that it can have under
   * way; 100 at least. `clock`: by default that of `performance`.
   */
  constructor(maxRequests = 0, clock: Clock = () => performance.now()) {
    this.#cancelRate = {
      ...CANCEL_RATE,
      burst: Math.max(CANCEL_RATE.burst, maxRequests),
    };
    this.#clock = clock;
    this.#begunAt = clock();
  }

  /** A request has come. */
  request(): void {
    this.#requests++;
  }

  /** A frame, or a stream, carries nothing that is of use. */
  idleFrame(): void {
    const seconds = (this.#clock() - this.#begunAt) / 1000;
    const allowed = MAX_IDLE_FRAMES + seconds * IDLE_FRAMES_PER_SECOND +
      IDLE_FRAMES_PER_REQUEST * this.#requests;
    if (++this.#idleFrames > allowed) throw abuse("frames of no use");
  }

  /** The client has cancelled a request before its end. */
  cancel(): void {
    this.#cancels ??= new TokenBucket(this.#cancelRate, this.#clock);
    this.#cancelled++;
    const isMost = this.#requests > MIN_REQUESTS_FOR_SHARE &&
      this.#cancelled > this.#requests / 2;
    if (isMost || !this.#cancels.take(1)) throw abuse("cancelled requests");
  }
}

function abuse(what: string): Http3Error {
  return new Http3Error("H3_EXCESSIVE_LOAD", `Too many ${what}`);
}

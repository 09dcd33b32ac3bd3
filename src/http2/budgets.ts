/**
 * What one client may cost (RFC 9113, section 10.5): resets, frames of no use,
 * and frames that want an answer. Each has a budget; a client that has used one
 * up gets ENHANCE_YOUR_CALM, and its connection ends.
 *
 * | what is counted                                | budget         | cost   |
 * |------------------------------------------------|----------------|--------|
 * | RST_STREAM of the client, of a stream not over | resets         | 1      |
 * | a stream above the limit, which is refused     | resets         | 1      |
 * | RST_STREAM that the client has provoked        | resets         | 5      |
 * | empty DATA or HEADERS, PRIORITY, malformed     | glitches       | 1      |
 * | empty CONTINUATION                             | glitches       | 10     |
 * | DATA below 64 bytes that joins unread content  | small DATA     | 1      |
 * | PING, SETTINGS, WINDOW_UPDATE, RST_STREAM …    | control frames | 1      |
 *
 * Resets and glitches are refilled by time. Control frames are counted since the
 * last request, or the last content of the client; 100 are forgotten each second.
 * Each DATA that was sent to it allows four more, and one for each 512 bytes: so
 * neither the probes of a client add up, nor the window updates of one that sends
 * them for every DATA. Small DATA are counted since an application has read any
 * content: many small messages are no attack, and what is unread is bounded by
 * the windows.
 *
 * @module
 */

import { type Clock, TokenBucket } from "../http/token_bucket.ts";
import { connectionError, type Http2Error } from "./frames.ts";
import {
  CONTROL_FRAMES_PER_DATA,
  CONTROL_FRAMES_PER_SECOND,
  EMPTY_CONTINUATION_COST,
  GLITCH_RATE,
  MAX_CONTROL_FRAMES,
  MAX_SMALL_DATA,
  PROVOKED_RESET_COST,
  RESET_RATE,
  SENT_BYTES_PER_CONTROL_FRAME,
  SMALL_DATA_BYTES,
} from "./limits.ts";

/** The budgets of one connection. All its methods throw an Http2Error. */
export class Budgets {
  readonly #clock: Clock;
  #resets: TokenBucket | undefined;
  #glitches: TokenBucket | undefined;
  #controlFrames = 0;
  #forgottenAt: number;
  #smallData = 0;

  /** `clock`: by default that of `performance`. */
  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#forgottenAt = clock();
  }

  /** The client has reset a stream that was not over, or opened one too many. */
  clientReset(): void {
    this.#takeReset(1);
  }

  /** The server has to reset a stream, since the client broke a rule there. */
  provokedReset(): void {
    this.#takeReset(PROVOKED_RESET_COST);
  }

  /** A frame, or a request, was legal but of no use, or malformed. */
  glitch(cost = 1): void {
    this.#glitches ??= new TokenBucket(GLITCH_RATE, this.#clock);
    if (!this.#glitches.take(cost)) throw abuse("frames of no use");
  }

  /** A CONTINUATION was empty. */
  emptyContinuation(): void {
    this.glitch(EMPTY_CONTINUATION_COST);
  }

  /**
   * Content has arrived, whose stream has `unread` bytes already. An empty DATA
   * is of no use unless it ends the stream.
   */
  data(bytes: number, unread: number, endStream: boolean): void {
    if (bytes > 0) this.#startCount();
    if (endStream) return;
    if (bytes === 0) return this.glitch();
    if (bytes >= SMALL_DATA_BYTES || unread === 0) return;
    if (++this.#smallData > MAX_SMALL_DATA) throw abuse("small DATA");
  }

  /** An application has read content. */
  contentRead(): void {
    this.#smallData = 0;
  }

  /** A request has come. */
  request(): void {
    this.#startCount();
  }

  /** Counts control frames anew; what is allowed by then stays allowed. */
  #startCount(): void {
    this.#controlFrames = Math.min(0, this.#controlFrames);
  }

  /** DATA was sent to the client, which may answer with control frames. */
  contentSent(bytes: number): void {
    this.#controlFrames -= Math.max(
      CONTROL_FRAMES_PER_DATA,
      bytes / SENT_BYTES_PER_CONTROL_FRAME,
    );
  }

  /** A PING was sent, which the client must answer. */
  pingSent(): void {
    this.#controlFrames--;
  }

  /** A frame has come that neither begins a request nor carries content. */
  controlFrame(): void {
    if (++this.#controlFrames <= MAX_CONTROL_FRAMES) return;
    this.#forgetControlFrames();
    if (this.#controlFrames > MAX_CONTROL_FRAMES) throw abuse("control frames");
  }

  /** Time has passed since this was done last: what came by then counts less. */
  #forgetControlFrames(): void {
    const now = this.#clock();
    const passed = (now - this.#forgottenAt) / 1000;
    const rest = this.#controlFrames - passed * CONTROL_FRAMES_PER_SECOND;
    this.#controlFrames = Math.max(1, rest);
    this.#forgottenAt = now;
  }

  #takeReset(cost: number): void {
    this.#resets ??= new TokenBucket(RESET_RATE, this.#clock);
    if (!this.#resets.take(cost)) throw abuse("resets");
  }
}

function abuse(what: string): Http2Error {
  return connectionError("ENHANCE_YOUR_CALM", `Too many ${what}`);
}

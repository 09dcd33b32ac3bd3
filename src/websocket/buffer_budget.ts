/**
 * A budget of memory for messages, which all connections of a server share: each
 * connection alone is bounded by `maxMessageBytes`, but many messages that are not
 * complete, or not received, could take all the memory there is.
 *
 * The one that asks for more than is left is refused, with close code 1013.
 * Buffers of up to 64 KiB are not counted, so that small messages pass although
 * others have used the budget up. How many of those there are is bounded for each
 * connection: one for the message that arrives, those that wait
 * (`readAheadBytes`, and one more), and the one that was received last.
 *
 * @module
 */

import { TRY_AGAIN_LATER } from "./close_codes.ts";
import { WebSocketError } from "./websocket_error.ts";

/** Larger buffers are counted. */
export const MAX_FREE_BYTES = 64 * 1024;

/** What follows a budget. */
export interface BufferMeter {
  /** How many bytes are held. */
  bufferedBytes: number;
  /** How often more was asked for than was left. */
  bufferRefusals: number;
}

/** The bytes that several connections may hold together. */
export class BufferBudget {
  readonly #maxBytes: number;
  readonly #meter: BufferMeter | undefined;
  #used = 0;

  /** A budget of which nothing is used; `meter` is kept up to date. */
  constructor(maxBytes: number, meter?: BufferMeter) {
    this.#maxBytes = maxBytes;
    this.#meter = meter;
  }

  /** How many bytes are held, in buffers of more than 64 KiB. */
  get used(): number {
    return this.#used;
  }

  /**
   * Counts that a buffer of `from` bytes becomes one of `to`; 0 is none.
   *
   * @throws {WebSocketError} With 1013 if more is asked for than is left. Then
   * the buffer must stay as it is.
   */
  resize(from: number, to: number): void {
    const more = counted(to) - counted(from);
    if (more === 0) return;
    if (more > 0 && this.#used + more > this.#maxBytes) {
      if (this.#meter !== undefined) this.#meter.bufferRefusals++;
      throw new WebSocketError(
        TRY_AGAIN_LATER,
        "Cannot read message: the server holds too many",
      );
    }
    this.#used += more;
    if (this.#meter !== undefined) this.#meter.bufferedBytes += more;
  }
}

function counted(size: number): number {
  return size > MAX_FREE_BYTES ? size : 0;
}

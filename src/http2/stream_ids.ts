/**
 * What has become of streams that are no more (RFC 9113, section 5.1.1), in
 * memory that is bounded whatever a client does. A client counts its streams up;
 * one at or below its last that is not there any more is closed. Two kinds are
 * remembered: those that the server has reset, of which frames may be under way,
 * and the identifiers that were skipped, which were never streams.
 *
 * @module
 */

import { connectionError, MAX_31_BITS } from "./frames.ts";
import { MAX_RESET_STREAMS, MAX_SKIPPED_STREAMS } from "./limits.ts";
import type { StreamState } from "./stream_state.ts";

/**
 * A stream that is not there: as in {@linkcode StreamState}, or "forgotten": it
 * may have been reset by the server so long ago that this is not remembered.
 * Frames on it are dropped, and are of no use.
 */
export type GoneState =
  | Extract<StreamState, "idle" | "closed" | "reset">
  | "forgotten";

/** The identifiers of the streams of one connection. */
export class StreamIds {
  #last = 0;
  /** The reset ones, as a ring: `#next` is where the oldest stands. */
  readonly #reset: number[] = [];
  #next = 0;
  /** The highest that was overwritten in the ring. */
  #forgotten = 0;
  readonly #skipped = new Set<number>();

  /** The highest identifier that the client has used. */
  get last(): number {
    return this.#last;
  }

  /** Whether the client has none left: it needs another connection. */
  get exhausted(): boolean {
    return this.#last >= MAX_31_BITS;
  }

  /**
   * A client begins a stream.
   *
   * @throws {Http2Error} PROTOCOL_ERROR of the connection, if it is even, or not
   * above all that were used.
   */
  begin(streamId: number): void {
    if (streamId % 2 === 0 || streamId <= this.#last) {
      throw connectionError(
        "PROTOCOL_ERROR",
        `A client must not begin stream ${streamId} after ${this.#last}`,
      );
    }
    this.#skip(this.#last === 0 ? 1 : this.#last + 2, streamId);
    this.#last = streamId;
  }

  /** Remembers a stream that the server has reset. */
  reset(streamId: number): void {
    const overwritten = this.#reset[this.#next] ?? 0;
    this.#forgotten = Math.max(this.#forgotten, overwritten);
    this.#reset[this.#next] = streamId;
    this.#next = (this.#next + 1) % MAX_RESET_STREAMS;
  }

  /** The state of a stream that is not there; of a skipped one, "idle". */
  stateOf(streamId: number): GoneState {
    const isIdle = streamId % 2 === 0 || streamId > this.#last ||
      this.#skipped.has(streamId);
    if (isIdle) return "idle";
    if (this.#reset.includes(streamId)) return "reset";
    return streamId <= this.#forgotten ? "forgotten" : "closed";
  }

  /** Remembers the identifiers from `first` to `end`, which are not streams. */
  #skip(first: number, end: number): void {
    for (let id = first; id < end; id += 2) {
      if (this.#skipped.size >= MAX_SKIPPED_STREAMS) return;
      this.#skipped.add(id);
    }
  }
}

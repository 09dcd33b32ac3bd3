/**
 * The content of one response that waits to be sent. A piece is kept until its
 * last byte was taken, and its writer waits for that. So what a stream holds is
 * bounded by what one write brings.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";

/** Content that was written at once. */
interface Piece {
  readonly bytes: Uint8Array;
  /** How many of the bytes were taken. */
  taken: number;
  readonly sent: PromiseWithResolvers<void>;
}

/** The content that waits on one stream. */
export class OutboundBody {
  readonly #pieces: Piece[] = [];
  #waiting = 0;

  /** How many bytes wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Adds bytes, which must not change until the promise resolves: when all of
   * them were taken.
   */
  add(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 && this.#waiting === 0) return Promise.resolve();
    const sent = Promise.withResolvers<void>();
    this.#pieces.push({ bytes, taken: 0, sent });
    this.#waiting += bytes.length;
    return handled(sent.promise); // The application may not wait for it.
  }

  /** Takes up to `maxBytes`, and no more than what was written at once. */
  take(maxBytes: number): Uint8Array {
    const piece = this.#pieces[0];
    const { taken, bytes } = piece;
    const chunk = bytes.subarray(taken, taken + maxBytes);
    piece.taken += chunk.length;
    this.#waiting -= chunk.length;
    this.#resolveTaken();
    return chunk;
  }

  /** Drops what waits, because it can't be sent any more. */
  drop(reason: Error): void {
    for (const { sent } of this.#pieces.splice(0)) sent.reject(reason);
    this.#waiting = 0;
  }

  #resolveTaken(): void {
    while (this.#pieces.length > 0) {
      const { bytes, taken, sent } = this.#pieces[0];
      if (taken < bytes.length) return;
      this.#pieces.shift();
      sent.resolve();
    }
  }
}

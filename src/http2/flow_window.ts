/**
 * Flow-control windows (RFC 9113, sections 5.2 and 6.9): how many bytes of DATA
 * may follow, on one stream or on the connection.
 *
 * One class has the rules that both directions share. A window may become
 * negative, when SETTINGS lower it, and never exceeds 2³¹ − 1. Sums are compared
 * as doubles before they are stored, so that nothing overflows.
 *
 * @module
 */

import { Http2Error, MAX_31_BITS, MAX_FRAME_BYTES } from "./frames.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

/** Less than this is not worth a frame, if more is to be sent. */
const MIN_PIECE_BYTES = 1024;

/** A window, of either direction. */
export class FlowWindow {
  /** The stream; 0 for the connection. */
  readonly streamId: number;
  #size: number;

  /** Stream 0 is the connection. */
  constructor(
    streamId: number,
    size: number = DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE,
  ) {
    this.streamId = streamId;
    this.#size = size;
  }

  /** How many bytes may follow; it may be negative. */
  get size(): number {
    return this.#size;
  }

  /**
   * Uses up bytes of the window.
   *
   * @throws {Http2Error} FLOW_CONTROL_ERROR, of the stream or the connection, if
   * there are not as many.
   */
  consume(bytes: number): void {
    if (bytes > this.#size && bytes > 0) {
      throw this.#error("exceeded");
    }
    this.#size -= bytes;
  }

  /**
   * Widens the window, for WINDOW_UPDATE.
   *
   * @throws {Http2Error} FLOW_CONTROL_ERROR, of the stream or the connection, if
   * it becomes larger than 2³¹ − 1.
   */
  grow(increment: number): void {
    if (this.#size + increment > MAX_31_BITS) throw this.#error("too large");
    this.#size += increment;
  }

  /**
   * Changes the window of a stream by the change of SETTINGS_INITIAL_WINDOW_SIZE.
   *
   * @throws {Http2Error} FLOW_CONTROL_ERROR of the connection, if it becomes
   * larger than 2³¹ − 1.
   */
  adjust(difference: number): void {
    if (this.#size + difference > MAX_31_BITS) {
      throw new Http2Error(
        "FLOW_CONTROL_ERROR",
        "SETTINGS widen a window too far",
      );
    }
    this.#size += difference;
  }

  #error(what: string): Http2Error {
    const message = `Flow-control window of stream ${this.streamId} ${what}`;
    const streamId = this.streamId || undefined;
    return new Http2Error("FLOW_CONTROL_ERROR", message, streamId);
  }
}

/**
 * The window that the client grants. It is used without dribbling (CVE-2019-9511):
 * once it is used up, more follows when it has a piece worth sending, or all that
 * is wanted. Such a piece comes: of a window that was used up, a client that has
 * read everything has returned half, whenever it returns what it has read.
 */
export class SendWindow extends FlowWindow {
  /** The whole window, as SETTINGS give it. */
  #full: number;
  #usedUp: boolean;

  /** `size`: the SETTINGS_INITIAL_WINDOW_SIZE of the client. */
  constructor(streamId: number, size?: number) {
    super(streamId, size);
    this.#full = this.size;
    this.#usedUp = this.size <= 0;
  }

  /** How many of `wanted` bytes can be sent now; 0 if it is better to wait. */
  sendable(wanted: number): number {
    const { size } = this;
    if (size >= wanted) return wanted;
    return this.#usedUp ? 0 : size;
  }

  /** As {@linkcode FlowWindow.consume}. */
  override consume(bytes: number): void {
    super.consume(bytes);
    this.#judge();
  }

  /** As {@linkcode FlowWindow.grow}. */
  override grow(increment: number): void {
    super.grow(increment);
    this.#judge();
  }

  /**
   * As {@linkcode FlowWindow.adjust}, to a SETTINGS_INITIAL_WINDOW_SIZE that may be
   * the same.
   */
  adjustTo(full: number): void {
    if (full !== this.#full) this.adjust(full - this.#full);
  }

  /** As {@linkcode FlowWindow.adjust}. */
  override adjust(difference: number): void {
    super.adjust(difference);
    this.#full += difference;
    this.#judge();
  }

  #judge(): void {
    if (this.size <= 0) this.#usedUp = true;
    else if (this.size >= Math.min(MIN_PIECE_BYTES, this.#full / 2)) {
      this.#usedUp = false;
    }
  }
}

/** The window that the server grants, and the credit that it owes. */
export class ReceiveWindow extends FlowWindow {
  readonly #full: number;
  #credit = 0;

  /** A window of `size` bytes, which is announced already. */
  constructor(streamId: number, size?: number) {
    super(streamId, size);
    this.#full = this.size;
  }

  /** Bytes that were consumed, and may be sent anew once the client knows. */
  get credit(): number {
    return this.#credit;
  }

  /** Bytes were read, or dropped. */
  giveBack(bytes: number): void {
    this.#credit += bytes;
  }

  /**
   * The increment for a WINDOW_UPDATE that is due: when half of the window is to
   * be returned, so that there is not one for each DATA; or a frame, where the
   * client can't send one, since the other half may be a long time in coming. 0
   * if none is.
   */
  takeUpdate(): number {
    const increment = this.#credit;
    const isStopped = this.size < MAX_FRAME_BYTES;
    const due = isStopped
      ? Math.min(MAX_FRAME_BYTES, this.#full / 2)
      : this.#full / 2;
    if (increment < due) return 0;
    this.#credit = 0;
    this.grow(increment);
    return increment;
  }
}

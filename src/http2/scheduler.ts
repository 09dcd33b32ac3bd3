/**
 * Which stream sends next, and how much (RFC 9218, section 10).
 *
 * - A lower urgency goes first. An urgency that has waited while 64 frames went
 *   before it has a turn, so that nothing starves.
 * - Of one urgency, those that are not incremental are sent in the order of their
 *   streams, each to its end; the incremental ones take turns, a frame each. Where
 *   there are both kinds, the two kinds take turns.
 * - A frame has 16 KiB at most.
 *
 * A stream is listed while it has something to send, and its window lets it. The
 * scheduler neither sends nor waits: it is asked when there is room for a frame.
 *
 * @module
 */

import type { SendWindow } from "./flow_window.ts";
import { MAX_FRAME_BYTES } from "./frames.ts";
import type { Priority } from "../http/priority.ts";

/** A stream that has something to send. */
export interface SendingStream {
  /** Its identifier. */
  readonly id: number;
  /** Its priority now. */
  readonly priority: Priority;
  /** How many bytes wait to be sent. */
  readonly waiting: number;
  /** The window that they need, beside that of the connection. */
  readonly window: SendWindow;
}

/** What is to be sent next. */
export interface Turn<S extends SendingStream> {
  /** The stream. */
  readonly stream: S;
  /** How many of its bytes: one frame. */
  readonly bytes: number;
}

const URGENCIES = 8;
/** So many frames may go before others that wait. */
const MAX_AHEAD = 64;

/** The streams of one urgency. */
class Level<S extends SendingStream> {
  /** Those that are not incremental, in the order of their streams. */
  readonly #inOrder: S[] = [];
  /** The incremental ones; the next is in front. */
  readonly #inTurn: S[] = [];
  /** How many frames of others were sent while this waited. */
  passed = 0;
  /** Whether the last frame was of one that is not incremental. */
  #wasInOrder = false;

  get empty(): boolean {
    return this.#inOrder.length === 0 && this.#inTurn.length === 0;
  }

  add(stream: S): void {
    if (stream.priority.incremental) {
      this.#inTurn.push(stream);
      return;
    }
    const at = this.#inOrder.findIndex(({ id }) => id > stream.id);
    this.#inOrder.splice(at === -1 ? this.#inOrder.length : at, 0, stream);
  }

  remove(stream: S): void {
    for (const list of [this.#inOrder, this.#inTurn]) {
      const at = list.indexOf(stream);
      if (at !== -1) list.splice(at, 1);
    }
  }

  take(): S | undefined {
    const turn = this.#wasInOrder ? this.#inTurn : this.#inOrder;
    const other = this.#wasInOrder ? this.#inOrder : this.#inTurn;
    const list = turn.length > 0 ? turn : other;
    this.#wasInOrder = list === this.#inOrder;
    return list.shift();
  }
}

/** Chooses among the streams of one connection. */
export class Scheduler<S extends SendingStream> {
  readonly #levels = Array.from({ length: URGENCIES }, () => new Level<S>());
  /** The listed streams, and the level that each is in. */
  readonly #listed = new Map<S, Level<S>>();

  /** The streams that can send, but for the connection's window. */
  get listed(): readonly S[] {
    return [...this.#listed.keys()];
  }

  /** Whether no stream can send. */
  get idle(): boolean {
    return this.#listed.size === 0;
  }

  /**
   * Lists a stream, or takes it off the list. To be called when any of its
   * properties has changed, and after each of its turns.
   */
  update(stream: S): void {
    const listed = this.#listed.get(stream);
    const { waiting, window, priority } = stream;
    const level = waiting > 0 && window.sendable(waiting) > 0
      ? this.#levels[priority.urgency]
      : undefined;
    if (level === listed) return;
    if (listed !== undefined) this.remove(stream);
    if (level === undefined) return;
    level.add(stream);
    this.#listed.set(stream, level);
  }

  /** As {@linkcode Scheduler.update}, after a change of the priority. */
  reprioritize(stream: S): void {
    this.remove(stream);
    this.update(stream);
  }

  /** Takes a stream off the list: it sends nothing more. */
  remove(stream: S): void {
    this.#listed.get(stream)?.remove(stream);
    this.#listed.delete(stream);
  }

  /**
   * Chooses the next stream, and takes it off the list: after its frame, an
   * {@linkcode Scheduler.update} is due.
   *
   * @param window That of the connection.
   * @param room How many bytes can be sent.
   * @returns `undefined` if nothing can be sent now.
   */
  next(window: SendWindow, room: number): Turn<S> | undefined {
    const level = this.#chooseLevel();
    if (level === undefined || room <= 0 || window.size <= 0) return undefined;
    const stream = level.take()!;
    this.#listed.delete(stream);
    const bytes = sizeOf(stream, window, room);
    if (bytes > 0) {
      this.#count(level);
      return { stream, bytes };
    }
    this.update(stream);
    return undefined;
  }

  #count(sending: Level<S>): void {
    for (const level of this.#levels) if (!level.empty) level.passed++;
    sending.passed = 0;
  }

  #chooseLevel(): Level<S> | undefined {
    let first: Level<S> | undefined;
    let longest: Level<S> | undefined;
    for (const level of this.#levels) {
      if (level.empty) continue;
      first ??= level;
      const isDue = level.passed >= MAX_AHEAD;
      if (isDue && level.passed >= (longest?.passed ?? 0)) longest = level;
    }
    return longest ?? first;
  }
}

/** How long the next frame of a stream is; 0 if it is better to wait. */
function sizeOf(
  { waiting, window }: SendingStream,
  connection: SendWindow,
  room: number,
): number {
  const granted = Math.min(window.sendable(waiting), MAX_FRAME_BYTES);
  return Math.min(connection.sendable(granted), room);
}

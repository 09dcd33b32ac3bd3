/**
 * `fromApp` of a WebSocket: a `TransformStream` between the application's `send`
 * and what deals with its events, one after the other. It holds up to 32 KiB that
 * could not be dealt with yet; when that is full, `send` waits.
 *
 * A stream is lent from a pool when something is sent, and goes back when all of
 * it was dealt with: a WebSocket that is idle has none.
 *
 * A `send` of a message of up to 64 KiB resolves when there is room for the next.
 * All others resolve when their event was dealt with: long messages are not
 * copied, so that they must not change before that.
 *
 * @module
 */

import { copyBytes } from "../streams/copy_bytes.ts";
import { EventPipe, PipePool } from "../streams/event_pipe.ts";
import { giveWay, giveWayAt, LARGE_STEP } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { WebSocketAction } from "./websocket_events.ts";

/** How much is held of what could not be dealt with, in bytes. */
const HELD_BYTES = 32 * 1024;
/** What an event counts for besides its content. */
const OVERHEAD_BYTES = 64;
/** A longer message is not copied. */
const MAX_COPIED_BYTES = 64 * 1024;

/** Deals with what the application sends. */
export interface ActionTaker {
  /**
   * Deals with an event.
   *
   * @param more Whether another one follows at once.
   * @returns When the next one may be dealt with; `undefined` if that is now.
   * @throws What all sends are to reject with from now on.
   */
  takeAction(
    action: WebSocketAction,
    more: boolean,
  ): Promise<void> | undefined;
}

const pipes = new PipePool(() =>
  new EventPipe<WebSocketAction>({
    highWaterMark: HELD_BYTES,
    size: (action) => OVERHEAD_BYTES + contentSize(action),
    copy,
  })
);

/** The events that one application sends. */
export class FromApp {
  readonly #taker: ActionTaker;
  /** Lent while something is to be dealt with. */
  #pipe: EventPipe<WebSocketAction> | undefined;
  #emptied: Promise<void> | undefined;
  #taken = 0;
  /** The events whose sends wait until they were dealt with. */
  #awaited: Map<WebSocketAction, PromiseWithResolvers<void>> | undefined;
  #rejection: Promise<never> | undefined;

  /** Gives events to `taker`. */
  constructor(taker: ActionTaker) {
    this.#taker = taker;
  }

  /** When everything that was written was dealt with; `undefined` if it was. */
  get emptied(): Promise<void> | undefined {
    return this.#emptied;
  }

  /** Writes an event; the promise need not be awaited. */
  write(action: WebSocketAction): Promise<void> {
    if (this.#rejection !== undefined) return this.#rejection;
    const pipe = this.#pipe ?? this.#begin();
    const dealt = isAwaited(action) ? this.#whenDealt(action) : undefined;
    const written = pipe.write(action);
    return dealt ?? written;
  }

  /** Takes no more events: sends that wait, and those that come, reject. */
  cancel(reason: unknown): void {
    if (this.#rejection !== undefined) return;
    this.#rejection = handled(Promise.reject(reason));
    this.#pipe?.cancel(reason);
    for (const { reject } of this.#awaited?.values() ?? []) reject(reason);
    this.#awaited = undefined;
  }

  /** Reads before the event is written, so that it need not be held. */
  #begin(): EventPipe<WebSocketAction> {
    const pipe = this.#pipe = pipes.lend();
    this.#emptied = handled(this.#run(pipe)); // It never rejects.
    return pipe;
  }

  async #run(pipe: EventPipe<WebSocketAction>): Promise<void> {
    try {
      do {
        const { done, value } = await pipe.read();
        if (done) return;
        const dealt = this.#taker.takeAction(value, pipe.holdsEvents);
        if (dealt !== undefined) await dealt;
        this.#settle(value);
        const share = isAwaited(value)
          ? giveWay(LARGE_STEP)
          : giveWayAt(++this.#taken);
        if (share !== undefined) await share;
      } while (pipe.holdsEvents);
    } catch (error) {
      return this.cancel(error);
    }
    this.#pipe = undefined;
    this.#emptied = undefined;
    pipes.giveBack(pipe);
  }

  #whenDealt(action: WebSocketAction): Promise<void> {
    const dealt = Promise.withResolvers<void>();
    this.#awaited ??= new Map();
    this.#awaited.set(action, dealt);
    return handled(dealt.promise);
  }

  #settle(action: WebSocketAction): void {
    if (this.#awaited === undefined) return;
    this.#awaited.get(action)?.resolve();
    this.#awaited.delete(action);
    if (this.#awaited.size === 0) this.#awaited = undefined;
  }
}

/** Whether a message is not copied: it must not change until it was dealt with. */
export function isLong(message: string | Uint8Array): boolean {
  return message.length > MAX_COPIED_BYTES;
}

/** How many bytes or characters of content an event has. */
export function contentSize(action: WebSocketAction): number {
  if (action.type === "websocket.send") return action.message.length;
  return action.type === "websocket.http.response.body"
    ? action.body.length
    : 0;
}

/** Whether a send waits until its event was dealt with. */
function isAwaited(action: WebSocketAction): boolean {
  return action.type !== "websocket.send" || isLong(action.message);
}

/** The application may change its bytes once its send has resolved. */
function copy(action: WebSocketAction): WebSocketAction {
  if (isAwaited(action) || action.type !== "websocket.send") return action;
  const { type, message } = action;
  return typeof message === "string"
    ? action
    : { type, message: copyBytes(message) };
}

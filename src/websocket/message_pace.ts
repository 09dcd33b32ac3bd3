/**
 * How slowly a message may arrive: from its first byte on, and whenever another
 * 64 KiB have come, the client has `messageTimeout` for the next 64 KiB or the
 * end. So a large message over a slow line has its time, and one that is begun and
 * never ends does not hold memory for good. A frame's header, and a control
 * frame, must be complete in that time as well.
 *
 * The time in which the client is not read does not count.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";

/** How much must arrive in time. */
const STEP_BYTES = 64 * 1024;

/** What has arrived of a message. */
export interface Arrival {
  /** Whether something has begun and is not complete. */
  readonly midMessage: boolean;
  /** How many bytes of the message have arrived. */
  readonly received: number;
}

/** What is called when a message is too slow. */
export interface SlowHandler {
  /** Ends the connection. */
  onSlow(): void;
}

/** Watches over the messages of one connection. */
export class MessagePace {
  readonly #stream: ByteStream;
  readonly #timeout: number;
  readonly #handler: SlowHandler;
  /** Exists while something has begun and is not complete. */
  #deadline: DisposableDeadline | undefined;
  /** What must have been received until the deadline. */
  #due = 0;
  #stopped = false;

  /** Bounds each step of a message by `timeout` milliseconds. */
  constructor(
    stream: ByteStream,
    timeout: number,
    handler: SlowHandler,
  ) {
    this.#stream = stream;
    this.#timeout = timeout;
    this.#handler = handler;
  }

  /** To be called before more bytes are awaited. */
  awaitMore({ midMessage, received }: Arrival): void {
    if (!midMessage) return this.pause();
    if (this.#stopped || this.#timeout === Infinity) return;
    if (this.#deadline !== undefined && received < this.#due) return;
    this.#deadline ??= this.#stream.createDeadline();
    this.#deadline.arm(this.#timeout, () => this.#handler.onSlow());
    this.#due = received + STEP_BYTES;
  }

  /** Something is complete: what comes next has time of its own. */
  completed(): void {
    this.#due = 0;
  }

  /** The client is not waited for at present. */
  pause(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
  }

  /** Watches over no message any more. */
  stop(): void {
    this.#stopped = true;
    this.pause();
  }
}

/**
 * Messages that were read, and that nobody has received yet: a queue that is
 * full from a number of bytes on, and at most one receiver that waits.
 *
 * What is in it counts in the server's budget; and so does the message that was
 * taken last, until the next one is asked for: while its receiver works on it, or
 * waits for the client to read the answer, it is held.
 *
 * @module
 */

import type { BufferBudget } from "./buffer_budget.ts";

/** What a message counts for besides its content. */
const MESSAGE_OVERHEAD_BYTES = 64;

/** A queue of messages that ends in something else. */
export class Inbox<Message, End> {
  readonly #maxBytes: number;
  readonly #budget: BufferBudget;
  readonly #messages: Message[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;
  /** The size of the message that was taken last. */
  #taken = 0;
  #released = false;
  #receiver: ((next: Message | End) => void) | undefined;
  #onRoom: (() => void) | undefined;

  /** One message has always room. */
  constructor(maxBytes: number, budget: BufferBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Whether no message should be put before one is taken. */
  get full(): boolean {
    return this.#messages.length > 0 && this.#bytes >= this.#maxBytes;
  }

  /** Whether no message waits to be taken. */
  get empty(): boolean {
    return this.#messages.length === 0;
  }

  /**
   * Gives a message to the receiver that waits, or keeps it.
   *
   * @throws {WebSocketError} With 1013 if the budget has no room for it.
   */
  put(message: Message, size: number): void {
    if (this.#released) return;
    this.#budget.resize(0, size);
    if (this.#wake(message)) {
      this.#taken = size;
    } else {
      this.#messages.push(message);
      this.#sizes.push(size);
      this.#bytes += size + MESSAGE_OVERHEAD_BYTES;
    }
  }

  /** Takes the oldest message, if there is one. */
  take(): Message | undefined {
    this.#forgetTaken();
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    this.#taken = this.#sizes.shift()!;
    this.#bytes -= this.#taken + MESSAGE_OVERHEAD_BYTES;
    this.#makeRoom();
    return message;
  }

  /**
   * Waits for a message; the inbox must be empty.
   *
   * @throws {TypeError} If another receiver waits.
   */
  wait(): Promise<Message | End> {
    if (this.#receiver !== undefined) {
      const error = new TypeError("Cannot receive: another receive is pending");
      return Promise.reject(error);
    }
    return new Promise((resolve) => this.#receiver = resolve);
  }

  /** Resolves as soon as the inbox is not full. */
  waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
      this.#makeRoom();
    });
  }

  /** Gives the end to the receiver that waits; whether there was one. */
  end(end: End): boolean {
    return this.#wake(end);
  }

  /** Drops all messages. */
  clear(): void {
    for (const size of this.#sizes) this.#budget.resize(size, 0);
    this.#messages.length = this.#sizes.length = this.#bytes = 0;
    this.#makeRoom();
  }

  /** Drops all messages, and those that come: nobody will take one. */
  release(): void {
    this.#released = true;
    this.#forgetTaken();
    this.clear();
  }

  #forgetTaken(): void {
    this.#budget.resize(this.#taken, 0);
    this.#taken = 0;
  }

  #wake(next: Message | End): boolean {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.(next);
    return receiver !== undefined;
  }

  #makeRoom(): void {
    if (this.full) return;
    this.#onRoom?.();
    this.#onRoom = undefined;
  }
}

/**
 * Messages that were read, and that nobody has received yet: a queue that is
 * full behind a number of bytes, and at most one receiver that waits.
 *
 * @module
 */

/** What a message counts for besides its content. */
const MESSAGE_OVERHEAD_BYTES = 64;

/** A queue of messages that ends in something else. */
export class Inbox<Message, End> {
  readonly #maxBytes: number;
  readonly #messages: Message[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;
  #receiver: ((next: Message | End) => void) | undefined;
  #onRoom: (() => void) | undefined;

  /** One message has always room. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether no message should be put before one is taken. */
  get full(): boolean {
    return this.#bytes > 0 && this.#bytes >= this.#maxBytes;
  }

  /** Whether no message waits to be taken. */
  get empty(): boolean {
    return this.#messages.length === 0;
  }

  /** Gives a message to whoever waits, or keeps it. */
  put(message: Message, size: number): void {
    if (this.#wake(message)) return;
    this.#messages.push(message);
    this.#sizes.push(size + MESSAGE_OVERHEAD_BYTES);
    this.#bytes += size + MESSAGE_OVERHEAD_BYTES;
  }

  /** Takes the oldest message, if there is one. */
  take(): Message | undefined {
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    this.#bytes -= this.#sizes.shift()!;
    this.#makeRoom();
    return message;
  }

  /**
   * Waits for a message; the inbox must be empty.
   *
   * @throws {TypeError} If someone else waits already.
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

  /** Gives the end to whoever waits; whether someone did. */
  end(end: End): boolean {
    return this.#wake(end);
  }

  /** Drops all messages. */
  clear(): void {
    this.#messages.length = this.#sizes.length = this.#bytes = 0;
    this.#makeRoom();
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

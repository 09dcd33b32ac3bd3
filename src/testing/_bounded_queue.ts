/**
 * What is on its way between an application and a test, in one direction: as
 * much as fits is taken at once, and then a side that puts more has to wait until
 * the other side takes some. So back pressure is felt as over a socket.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";

/** So much is on its way at most before a side has to wait, in bytes. */
const CAPACITY = 64 * 1024;

/** A queue of bytes or texts. */
export class BoundedQueue<Item extends string | Uint8Array> {
  readonly #items: Item[] = [];
  #size = 0;
  #ended: { readonly error?: unknown } | undefined;
  #arrival: PromiseWithResolvers<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /** Whether nothing more can be put. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Puts an item.
   *
   * @returns When there is room for another; `undefined` if there is by now.
   */
  put(item: Item): Promise<void> | undefined {
    this.#items.push(item);
    this.#size += item.length;
    this.#arrival?.resolve();
    if (this.#size < CAPACITY) return undefined;
    this.#room ??= Promise.withResolvers();
    return handled(this.#room.promise); // Not everyone waits for room.
  }

  /**
   * Takes the next item, when there is one; `undefined` at the end.
   *
   * @throws What the queue has failed with, after its last item.
   */
  async take(): Promise<Item | undefined> {
    while (this.#items.length === 0) {
      if (this.#ended !== undefined) return this.#takeEnd(this.#ended);
      this.#arrival = Promise.withResolvers();
      await this.#arrival.promise;
    }
    const item = this.#items.shift()!;
    this.#size -= item.length;
    if (this.#size < CAPACITY) this.#makeRoom();
    return item;
  }

  /** Nothing more will be put; what is there can still be taken. */
  end(): void {
    this.#ended ??= {};
    this.#arrival?.resolve();
  }

  /** As `end`; and a wait for room fails. */
  refuse(error: unknown): void {
    this.#room?.reject(error);
    this.end();
  }

  /** As `refuse`; and `take` throws the error at the end. */
  fail(error: unknown): void {
    this.#ended ??= { error };
    this.refuse(error);
  }

  /** Drops what is there. */
  clear(): void {
    this.#items.length = 0;
    this.#size = 0;
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #takeEnd(ended: { readonly error?: unknown }): undefined {
    if ("error" in ended) throw ended.error;
  }
}

/**
 * A `TransformStream` that carries what arrives by itself, such as the messages
 * of a WebSocket, to a reader that may be slow. It holds what nobody has asked
 * for up to its high-water mark, counted by a `size` function; the writer is to
 * wait for room then, and leaves its source alone. Each item is transformed when
 * the reader asks for it.
 *
 * Both ends are locked from the start and stay so. Nothing here releases a lock
 * (that rejects pending reads), or terminates a stream (that makes an error).
 *
 * @module
 */

import { giveWayAt } from "./fair_share.ts";
import { handled } from "./handled.ts";

/** How the items of a {@linkcode MessagePipe} are held. */
export interface MessagePipeOptions<In, Out> {
  /** How much is held of what nobody has asked for, in what `size` counts. */
  readonly highWaterMark: number;
  /** What an item counts for: more than 0, also without content. */
  size(item: In): number;
  /** Makes what the reader gets of an item, when it asks for it. */
  transform(item: In): Out;
}

/** The reader of a pipe, as its writer sees it. */
export interface DemandListener<In> {
  /** The reader asks for the next item: it is done with the one before. */
  onAsked(): void;
  /** An item is on its way to the reader. */
  onTaken(item: In): void;
  /** The reader will ask for no more: what was held is dropped. */
  onCancelled(): void;
}

/** The end of a pipe that is written to. */
export interface MessageSink<In> {
  /** Is called when the reader does something. */
  listener: DemandListener<In> | undefined;
  /** Whether nothing is held. */
  readonly isEmpty: boolean;
  /** How much is held. */
  readonly heldSize: number;
  /** When there is room for more; `undefined` if there is. */
  readonly room: Promise<void> | undefined;
  /** Writes an item, whether or not there is room; drops it once cancelled. */
  write(item: In): void;
  /** Ends the pipe after what was written. */
  close(): void;
}

/** Carries items, and holds those that nobody has asked for. */
export class MessagePipe<In, Out> implements MessageSink<In> {
  /** Is called when the reader does something. */
  listener: DemandListener<In> | undefined;

  readonly #options: MessagePipeOptions<In, Out>;
  readonly #writer: WritableStreamDefaultWriter<In>;
  readonly #reader: ReadableStreamDefaultReader<Out>;
  #held = 0;
  #taken = 0;
  #cancelled = false;

  /** Makes both ends, locked. */
  constructor(options: MessagePipeOptions<In, Out>) {
    const { highWaterMark } = options;
    // The stream has room at its end only while a read waits: so each item
    // comes through when it is asked for, and not before.
    const { writable, readable } = new TransformStream<In, Out>(
      { transform: (item, controller) => this.#take(item, controller) },
      { highWaterMark, size: options.size },
      { highWaterMark: 0 },
    );
    this.#options = options;
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
  }

  /** Whether nothing is held. */
  get isEmpty(): boolean {
    return this.#held === 0;
  }

  /** How much is held, in what `size` counts. */
  get heldSize(): number {
    const { highWaterMark } = this.#options;
    return highWaterMark - (this.#writer.desiredSize ?? highWaterMark);
  }

  /** When there is room for more, or all is cancelled; `undefined` if that is now. */
  get room(): Promise<void> | undefined {
    const { desiredSize } = this.#writer;
    if (desiredSize === null || desiredSize > 0) return undefined;
    return this.#writer.ready.catch(ignore);
  }

  /** Writes an item, whether or not there is room; drops it once cancelled. */
  write(item: In): void {
    if (this.#cancelled) return;
    this.#held++;
    handled(this.#writer.write(item)); // Rejects when it is dropped.
  }

  /** Ends the pipe after what was written. */
  close(): void {
    if (!this.#cancelled) handled(this.#writer.close());
  }

  /** Reads the next item; `done` after the last one, or once cancelled. */
  read(): Promise<ReadableStreamReadResult<Out>> {
    this.listener?.onAsked();
    return this.#reader.read();
  }

  /** Drops what is held, and what will be written; a read that waits is done. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#held = 0;
    handled(this.#reader.cancel()); // It can't fail.
    this.listener?.onCancelled();
  }

  /** Readers may ask without end for what is there. */
  #take(
    item: In,
    controller: TransformStreamDefaultController<Out>,
  ): Promise<void> | undefined {
    const share = giveWayAt(++this.#taken);
    if (share !== undefined) {
      return share.then(() => this.#pass(item, controller));
    }
    this.#pass(item, controller);
  }

  #pass(item: In, controller: TransformStreamDefaultController<Out>): void {
    if (this.#cancelled) return;
    this.#held--;
    this.listener?.onTaken(item);
    controller.enqueue(this.#options.transform(item));
  }
}

function ignore(): void {}

/**
 * The `TransformStream`s that connect an application's call with the server.
 * Both ends of each are locked from the start and stay so: one side writes, the
 * other reads, and the stream between them keeps the order and holds back.
 *
 * - An {@linkcode EventPipe} takes events as they are made, and holds as many of
 *   them as its high-water mark allows; a write resolves when its event was read,
 *   or is held. Its reader asks `giveWay` between events.
 * - A {@linkcode HandledPipe} is one whose reader is a loop that calls a handler.
 * - A {@linkcode DemandPipe} holds nothing: it has each event made when its
 *   reader waits for one, and not before.
 *
 * Making a stream costs more than passing some events, so they are lent from a
 * pool for the life of a call. One goes back when it is as it was made: nothing
 * is held, and no read of a call waits. Any other is dropped.
 *
 * Nothing here ever releases a lock (that rejects pending reads), or terminates
 * a stream (that makes an error).
 *
 * @module
 */

import { giveWay, giveWayAt, LARGE_STEP } from "./fair_share.ts";
import { handled } from "./handled.ts";

/** The most that a pool keeps; others are dropped. */
const MAX_POOLED = 1024;
/** More than are written at once as a rule: waiting writes cost a promise more. */
const WRITABLE_STRATEGY = { highWaterMark: 16 };

/** How the events of an {@linkcode EventPipe} are held. */
export interface EventPipeOptions<Event> {
  /** How much is held of events that were not read, in what `size` counts. */
  readonly highWaterMark: number;
  /** What an event counts for: more than 0, also without content. */
  readonly size: (event: Event) => number;
  /**
   * Copies what the writer of an event may change after its write has resolved.
   * It is called only for events that are held. Default: events are kept as they
   * are.
   */
  readonly copy?: (event: Event) => Event;
}

/** Carries events, and holds those that no read waits for, up to a limit. */
export class EventPipe<Event> {
  readonly #writer: WritableStreamDefaultWriter<Event>;
  readonly #reader: ReadableStreamDefaultReader<Event>;
  readonly #copy: ((event: Event) => Event) | undefined;
  /** As many reads as writes: then nothing is held, and no read waits. */
  #writes = 0;
  #reads = 0;
  #cancelled = false;
  /** The last write for which a read waited: only a cancel can reject it. */
  #passing: Promise<void> | undefined;

  /** Makes both ends, locked. */
  constructor({ highWaterMark, size, copy }: EventPipeOptions<Event>) {
    const { writable, readable } = new TransformStream<Event, Event>(
      undefined,
      WRITABLE_STRATEGY,
      { highWaterMark, size },
    );
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#copy = copy;
  }

  /** Whether the pipe is as it was when it was made. */
  get isEmpty(): boolean {
    return this.#writes === this.#reads && !this.#cancelled;
  }

  /** Whether a read waits: the next event that is written is not held. */
  get isAwaited(): boolean {
    return this.#reads > this.#writes;
  }

  /** Whether there are events that no read was made for. */
  get holdsEvents(): boolean {
    return this.#writes > this.#reads;
  }

  /** Whether the pipe takes no more events. */
  protected get isCancelled(): boolean {
    return this.#cancelled;
  }

  /**
   * Writes an event. The promise need not be awaited.
   *
   * If a read waits for the event, the reader goes on with it before the writer
   * goes on: what it does at once is done before the promise resolves.
   *
   * @returns When the event was read, or is held.
   * @throws What the pipe was cancelled with.
   */
  write(event: Event): Promise<void> {
    if (this.isAwaited) {
      this.#writes++;
      return this.#passing = this.#writer.write(event);
    }
    const entering = this.#copy === undefined ? event : this.#copy(event);
    this.#writes++;
    return handled(this.#writer.write(entering));
  }

  /** Reads the next event; `done` once the pipe was cancelled. */
  read(): Promise<ReadableStreamReadResult<Event>> {
    this.#reads++;
    return this.#reader.read();
  }

  /**
   * Takes no more events: waiting and later writes reject with `reason`, what is
   * held is dropped, and a read that waits is done.
   */
  cancel(reason: unknown): void {
    this.#cancelled = true;
    handled(this.#passing);
    handled(this.#reader.cancel(reason)); // It can't fail.
  }
}

/** Deals with the events of a {@linkcode HandledPipe}. */
export interface EventHandler<Event> {
  /**
   * Deals with an event. Never throws.
   *
   * @returns When the next one may come; it never rejects. `undefined` if that
   * is now.
   */
  handleEvent(event: Event): Promise<void> | undefined;
}

/**
 * An {@linkcode EventPipe} whose reader is a loop that never ends: it gives each
 * event to the handler of the call that the pipe is lent to.
 */
export class HandledPipe<Event> extends EventPipe<Event> {
  #handler: EventHandler<Event> | undefined;
  /** How many events the handler has got. */
  #handled = 0;

  /** Makes both ends, locked; a read waits from now on. */
  constructor(options: EventPipeOptions<Event>) {
    super(options);
    handled(this.#run()); // It ends when the pipe is cancelled.
  }

  /** Whether every event was taken out; then only the loop's own read waits. */
  override get isEmpty(): boolean {
    return !this.holdsEvents && !this.isCancelled;
  }

  /** From now on `handler` gets the events; nothing is written while there is none. */
  giveTo(handler: EventHandler<Event> | undefined): void {
    this.#handler = handler;
    this.#handled = 0;
  }

  async #run(): Promise<void> {
    for (;;) {
      const { value, done } = await this.read();
      if (done) return;
      const dealt = this.#handler?.handleEvent(value);
      if (dealt !== undefined) await dealt;
      const share = dealt === undefined
        ? giveWayAt(++this.#handled)
        : giveWay(LARGE_STEP);
      if (share !== undefined) await share;
    }
  }
}

/** Makes the events of a {@linkcode DemandPipe}. */
export interface EventMaker<Event> {
  /** Makes the next event; is called again only when that is there. Never throws. */
  nextEvent(): Event | Promise<Event>;
}

/** Carries events that are made on demand. */
export class DemandPipe<Event> {
  readonly #writer: WritableStreamDefaultWriter<void>;
  readonly #reader: ReadableStreamDefaultReader<Event>;
  #maker: EventMaker<Event> | undefined;
  /** As many reads as events that were made: then no read waits. */
  #reads = 0;
  #made = 0;

  /** Makes both ends, locked. */
  constructor() {
    // The stream has room only while a read waits, so the write that is always
    // pending comes through when an event is asked for, and not before.
    const { writable, readable } = new TransformStream<void, Event>(
      { transform: (_, controller) => this.#make(controller) },
      WRITABLE_STRATEGY,
      { highWaterMark: 0 },
    );
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#offer();
  }

  /** Whether no read waits: then the pipe is as it was when it was made. */
  get isEmpty(): boolean {
    return this.#reads === this.#made;
  }

  /** From now on `maker` makes the events; nothing is read while there is none. */
  takeFrom(maker: EventMaker<Event> | undefined): void {
    this.#maker = maker;
  }

  /** Waits for the next event; reads that wait together are answered in order. */
  read(): Promise<Event> {
    this.#reads++;
    return this.#reader.read().then(valueOf<Event>);
  }

  /** Offers the reader one more event. */
  #offer(): void {
    handled(this.#writer.write()); // Nothing makes this stream fail.
  }

  #make(
    controller: TransformStreamDefaultController<Event>,
  ): Promise<void> | undefined {
    const event = this.#next();
    if (event instanceof Promise) {
      return event.then((event) => this.#pass(event, controller));
    }
    this.#pass(event, controller);
  }

  /** Applications may ask without end for what is there. */
  #next(): Event | Promise<Event> {
    const maker = this.#maker!;
    const share = giveWayAt(this.#made);
    return share === undefined
      ? maker.nextEvent()
      : share.then(() => maker.nextEvent());
  }

  #pass(
    event: Event,
    controller: TransformStreamDefaultController<Event>,
  ): void {
    this.#made++;
    controller.enqueue(event);
    this.#offer();
  }
}

function valueOf<Event>({ value }: ReadableStreamReadResult<Event>): Event {
  return value!; // The stream has no end.
}

/** Lends pipes of one kind, each for the life of a call. */
export class PipePool<Pipe extends { readonly isEmpty: boolean }> {
  readonly #create: () => Pipe;
  readonly #pipes: Pipe[] = [];

  /** Makes no pipe yet. */
  constructor(create: () => Pipe) {
    this.#create = create;
  }

  /** Lends an empty pipe. */
  lend(): Pipe {
    return this.#pipes.pop() ?? this.#create();
  }

  /** Takes a pipe back, which its borrower no longer uses; drops it unless it is empty. */
  giveBack(pipe: Pipe): void {
    if (pipe.isEmpty && this.#pipes.length < MAX_POOLED) this.#pipes.push(pipe);
  }
}

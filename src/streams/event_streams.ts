/**
 * Events on their way between an application and the server, each direction
 * over a `TransformStream`, so that neither side runs ahead of the other:
 *
 * - {@linkcode EventSource} makes an event when the application asks for one;
 * - {@linkcode EventSink} gives the server one event at a time, and a write
 *   resolves when the server has dealt with it.
 *
 * A stream is held only while an event passes: a call that waits, for a message
 * or for its client, holds none. Streams are borrowed from a pool for that,
 * because making one costs more than all else that an event needs. Only an
 * application that asks for the streams themselves gets its own.
 *
 * Nothing here ever releases a lock (that rejects pending reads), or terminates
 * a stream (that makes an error).
 *
 * @module
 */

import { giveWay, giveWayAt, LARGE_STEP } from "./fair_share.ts";
import { handled } from "./handled.ts";

/** Streams that wait for the next event of anybody, at most; others are dropped. */
const MAX_POOLED = 1024;

/**
 * A stream of events that are made on demand: `next` is called when a reader
 * waits for an event, and not before. The stream ends behind the event that
 * `isLast` says is the last. `next` must not throw.
 */
export function eventStream<Event>(
  next: () => Event | Promise<Event>,
  isLast: (event: Event) => boolean,
): ReadableStream<Event> {
  // A transform is called for a write only when a reader waits on the other
  // side: so each write asks for one event.
  const { readable, writable } = new TransformStream<void, Event>({
    transform(_asked, controller) {
      const event = next();
      if (event instanceof Promise) {
        return event.then((event) => pass(event, controller));
      }
      pass(event, controller);
    },
  });
  const writer = writable.getWriter();
  // A stream that breaks gives its error to its reader.
  function ask(): void {
    handled(writer.write());
  }
  function pass(
    event: Event,
    controller: TransformStreamDefaultController<Event>,
  ): void {
    controller.enqueue(event);
    if (isLast(event)) handled(writer.close());
    else ask();
  }
  ask();
  return readable;
}

/** What an {@linkcode EventSource} takes its events from. */
export interface EventOrigin<Event> {
  /** Makes the next event; called again only when that is there. Never throws. */
  nextEvent(): Event | Promise<Event>;
  /** Whether no other event follows. */
  isLast(event: Event): boolean;
}

/** Gives out the events of one call of an application, as they are asked for. */
export class EventSource<Event> {
  readonly #origin: EventOrigin<Event>;
  #readable: ReadableStream<Event> | undefined;
  #reader: ReadableStreamDefaultReader<Event> | undefined;
  /** How many reads wait, and the last of them. */
  #waiting = 0;
  #last: Promise<Event> | undefined;
  #asked = 0;

  /** Asks `origin` for an event when somebody waits for one. */
  constructor(origin: EventOrigin<Event>) {
    this.#origin = origin;
  }

  /** The events that were not read, as a stream. */
  get readable(): ReadableStream<Event> {
    const origin = this.#origin;
    return this.#readable ??= eventStream(
      () => this.#last?.then(() => this.#nextEvent()) ?? this.#nextEvent(),
      (event) => origin.isLast(event),
    );
  }

  /**
   * Waits for the next event; reads that wait together are answered in order.
   * The last event is given again and again.
   *
   * @throws {TypeError} If somebody else holds the lock of `readable`.
   */
  read(): Promise<Event> {
    if (this.#readable !== undefined) return this.#readFrom(this.#readable);
    if (this.#waiting++ > 0) {
      return this.#last = this.#last!.then(() => this.#next());
    }
    const read = this.#next();
    if (this.#waiting > 0) this.#last = read;
    return read;
  }

  // Many calls wait here at once, and an async function would hold its frame.
  #next(): Promise<Event> {
    const event = this.#nextEvent();
    if (event instanceof Promise) {
      return event.then((event) => this.#pass(event));
    }
    return this.#pass(event);
  }

  /** Applications may ask for what is there without end. */
  #nextEvent(): Event | Promise<Event> {
    const share = giveWayAt(++this.#asked);
    return share === undefined
      ? this.#origin.nextEvent()
      : share.then(() => this.#origin.nextEvent());
  }

  #pass(event: Event): Promise<Event> {
    if (--this.#waiting === 0) this.#last = undefined;
    return pass(event);
  }

  async #readFrom(readable: ReadableStream<Event>): Promise<Event> {
    this.#reader ??= readable.getReader();
    const { value } = await this.#reader.read();
    return value ?? this.#origin.nextEvent();
  }
}

/** A stream that carries the events of any source, one after the other. */
class Passage {
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #reader: ReadableStreamDefaultReader<unknown>;

  constructor() {
    const { readable, writable } = new TransformStream<unknown, unknown>();
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
  }

  async pass(event: unknown): Promise<unknown> {
    const written = this.#writer.write(event);
    const { value } = await this.#reader.read();
    await written;
    return value;
  }
}

const passages: Passage[] = [];

async function pass<Event>(event: Event): Promise<Event> {
  const passage = passages.pop() ?? new Passage();
  const passed = await passage.pass(event);
  if (passages.length < MAX_POOLED) passages.push(passage);
  return passed as Event;
}

/** What an {@linkcode EventSink} gives its events to. */
export interface EventTaker<Event> {
  /** Deals with an event; what it throws rejects the event's write, and all later ones. */
  takeEvent(event: Event): Promise<void> | undefined;
  /** Called behind the last event. */
  endOfEvents(): void;
}

/** Takes events, one at a time, in the order in which they are written. */
export class EventSink<Event> {
  readonly #taker: EventTaker<Event>;
  /** The lane that events of this sink are in; for good, once it has failed. */
  #lane: Lane | undefined;
  #closed = false;
  #taken = 0;

  /** Gives events to `taker`. */
  constructor(taker: EventTaker<Event>) {
    this.#taker = taker;
  }

  /** Resolves when the event was dealt with; it need not be awaited. */
  write(event: Event): Promise<void> {
    if (!this.#closed) return this.#enter(event);
    return handled(
      Promise.reject(new TypeError("Cannot write event: the sink is closed")),
    );
  }

  /** Says that no event will follow; only the first call counts. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    handled(this.#enter(END)); // The write before has the same error.
  }

  /** Called by the lane: takes what has come through it. */
  take(event: unknown): Promise<void> | undefined {
    if (event === END) {
      this.#taker.endOfEvents();
      return undefined;
    }
    const taken = this.#taker.takeEvent(event as Event);
    return taken?.then(afterLargeStep) ?? giveWayAt(++this.#taken);
  }

  /** Called by the lane when it holds nothing of this sink any more. */
  leave(): void {
    this.#lane = undefined;
  }

  #enter(event: unknown): Promise<void> {
    this.#lane ??= lanes.pop() ?? new Lane();
    return this.#lane.write(event, this);
  }
}

/** What had to be waited for was as much as one waits for: a large write. */
function afterLargeStep(): Promise<void> | undefined {
  return giveWay(LARGE_STEP);
}

const END = Symbol("end of events");

/** A stream that carries the events of one sink, and then those of another. */
class Lane {
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  #sink: EventSink<never> | undefined;
  #pending = 0;

  constructor() {
    // The readable side stays empty, and has room: it never holds a write up.
    const { writable } = new TransformStream<unknown, never>(
      { transform: (event) => this.#sink!.take(event) as Promise<void> },
      undefined,
      { highWaterMark: 1 },
    );
    this.#writer = writable.getWriter();
  }

  write(event: unknown, sink: EventSink<never>): Promise<void> {
    this.#sink = sink;
    this.#pending++;
    const written = this.#writer.write(event);
    // Whoever asked for the write has the promise.
    written.then(this.#written, ignore);
    return written;
  }

  readonly #written = (): void => {
    if (--this.#pending > 0) return;
    this.#sink!.leave();
    this.#sink = undefined;
    if (lanes.length < MAX_POOLED) lanes.push(this);
  };
}

const lanes: Lane[] = [];

function ignore(): void {}

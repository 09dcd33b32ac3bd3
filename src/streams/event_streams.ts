/**
 * Events on their way between an application and the server, each direction
 * over one `TransformStream`, so that neither side runs ahead of the other:
 *
 * - {@linkcode eventSource} makes an event when the application asks for one;
 * - {@linkcode EventSink} gives the server one event at a time, and a write
 *   resolves when the server has dealt with it.
 *
 * Neither ever releases a lock (that rejects pending reads), nor terminates its
 * stream (that makes an error).
 *
 * @module
 */

/**
 * A stream of events that are made on demand: `next` is called when a reader
 * waits for an event, and not before. The stream ends behind the event that
 * `isLast` says is the last. `next` must not throw.
 */
export function eventSource<Event>(
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

/** Takes events, one at a time, in the order in which they are written. */
export class EventSink<Event> {
  readonly #writer: WritableStreamDefaultWriter<Event>;

  /**
   * `take` deals with an event; what it throws rejects the event's write, and
   * all later ones. `end` is called behind the last event.
   */
  constructor(
    take: (event: Event) => Promise<void> | undefined,
    end: () => void,
  ) {
    // The readable side stays empty, and has room: it never holds a write up.
    const { writable } = new TransformStream<Event, never>(
      { transform: take as (event: Event) => Promise<void>, flush: end },
      undefined,
      { highWaterMark: 1 },
    );
    this.#writer = writable.getWriter();
  }

  /** Resolves when the event was dealt with; it need not be awaited. */
  write(event: Event): Promise<void> {
    return handled(this.#writer.write(event));
  }

  /** Says that no event will follow; only the first call counts. */
  close(): void {
    handled(this.#writer.close());
  }
}

/** Keeps a rejection that nobody awaits from ending the process. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

/**
 * The `receive` and `send` that an application is called with: functions that
 * are streams as well. What is read by function, by stream and by loop comes out
 * of the same end of `toApp`, and what is sent by function and by stream goes
 * into the same end of `fromApp`, so they can be mixed and keep their order.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { Backlog, contentSize } from "./sends.ts";

/** The application's end of `toApp`. */
export interface ReceiveEnd<In> {
  /** Waits for the next event; after the last one, gives that again. */
  read(): Promise<In>;
  /** Whether no other event follows. */
  isLast(event: In): boolean;
  /** The stream over this end, once there is one; set here and nowhere else. */
  view?: EventView<In> | undefined;
}

/** The application's end of `fromApp`. */
export interface SendEnd<Out> {
  /** Takes an event; the promise need not be awaited. */
  send(event: Out): Promise<void>;
  /** The application has aborted its stream of events. */
  abort(reason: unknown): void;
  /** An event was refused before it came here. */
  refused(error: unknown): void;
}

/** A `receive` of any protocol. */
export interface ReceiveFunction<In> {
  (): Promise<In>;
  readonly readable: ReadableStream<In>;
  [Symbol.asyncIterator](): AsyncIterableIterator<In>;
}

/** A `send` of any protocol. */
export interface SendFunction<Out> {
  (event: Out): Promise<void>;
  readonly writable: WritableStream<Out>;
}

const END = Symbol("end");
const WRITABLE = Symbol("writable");

interface BoundReceive {
  [END]: ReceiveEnd<unknown>;
}

interface BoundSend {
  [END]: SendEnd<unknown>;
  [WRITABLE]?: WritableStream<unknown>;
}

// The properties stand on shared prototypes, because defining them on each
// function would cost more than all else that is made for a call.
const receivePrototype = Object.create(Function.prototype, {
  readable: {
    get(this: BoundReceive): ReadableStream<unknown> {
      const end = this[END];
      return (end.view ??= new EventView(end)).readable;
    },
  },
  [Symbol.asyncIterator]: {
    // Not the stream's own iterator, so that a loop and calls can take turns.
    value(this: BoundReceive): AsyncIterableIterator<unknown> {
      return new EventIterator(this[END]);
    },
  },
});

const sendPrototype = Object.create(Function.prototype, {
  writable: {
    get(this: BoundSend): WritableStream<unknown> {
      return this[WRITABLE] ??= writableOf(this[END]);
    },
  },
});

// A bound function has the prototype of what it is bound from: this is several
// times cheaper than to set the prototype of each.
const receiveFrom = Object.setPrototypeOf(
  function (this: ReceiveEnd<unknown>): Promise<unknown> {
    return nextOf(this);
  },
  receivePrototype,
);
const sendTo = Object.setPrototypeOf(
  function (this: SendEnd<unknown>, event: unknown): Promise<void> {
    return this.send(event);
  },
  sendPrototype,
);

/** The `receive` that reads from `end`. */
export function receiveOf<In>(end: ReceiveEnd<In>): ReceiveFunction<In> {
  return bind(receiveFrom, end);
}

/** The `send` that writes to `end`. */
export function sendOf<Out>(end: SendEnd<Out>): SendFunction<Out> {
  return bind(sendTo, end);
}

/** Reports to the end of a `send` that an event for it was refused. */
export function noteRefusal(send: object, error: unknown): void {
  (send as Partial<BoundSend>)[END]?.refused(error);
}

function bind<F extends (...args: never[]) => unknown>(
  template: F,
  end: unknown,
): F {
  const bound = template.bind(end as never) as unknown as F & {
    [END]: unknown;
  };
  bound[END] = end;
  return bound;
}

/** Once there is a stream, all reads go through it, for the sake of their order. */
function nextOf<In>(end: ReceiveEnd<In>): Promise<In> {
  // It rejects while the application holds the lock: that need not be awaited.
  return end.view === undefined ? end.read() : handled(end.view.read());
}

/** The events of an end that were not read yet, as a stream. */
export class EventView<In> {
  /** Ends after the last event. */
  readonly readable: ReadableStream<In>;
  readonly #end: ReceiveEnd<In>;
  #reader: ReadableStreamDefaultReader<In> | undefined;
  #reads = 0;

  /** Reads nothing before it is read. */
  constructor(end: ReceiveEnd<In>) {
    this.#end = end;
    this.readable = new ReadableStream({
      async pull(controller) {
        const event = await end.read();
        controller.enqueue(event);
        if (end.isLast(event)) controller.close();
      },
    }, { highWaterMark: 0 });
  }

  /**
   * Reads an event; the stream is locked as long as it waits.
   *
   * @throws {TypeError} If the application holds the stream's lock.
   */
  async read(): Promise<In> {
    this.#reader ??= this.readable.getReader();
    this.#reads++;
    const { value } = await this.#reader.read();
    if (--this.#reads === 0) {
      this.#reader.releaseLock();
      this.#reader = undefined;
    }
    return value ?? this.#end.read();
  }
}

/** Gives the events up to the last one; it may be left, and taken up again. */
class EventIterator implements AsyncIterableIterator<unknown> {
  readonly #end: ReceiveEnd<unknown>;
  #done = false;

  constructor(end: ReceiveEnd<unknown>) {
    this.#end = end;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#done) return this.return();
    return nextOf(this.#end).then((value) => {
      this.#done = this.#end.isLast(value);
      return { done: false, value };
    });
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#done = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function writableOf(end: SendEnd<unknown>): WritableStream<unknown> {
  const backlog = new Backlog();
  const writable = new WritableStream<unknown>({
    write(event) {
      // What is piped keeps to the client's pace, and was not counted.
      if (!backlog.empty) backlog.remove(contentSize(event));
      const sent = end.send(event);
      sent.catch((error) => {
        handled(backlog.fail(error));
      });
      return sent;
    },
    abort: (reason) => end.abort(reason),
  });
  const getWriter = writable.getWriter;
  return Object.assign(writable, {
    getWriter: () => boundedWriter(getWriter.call(writable), backlog, end),
  });
}

/**
 * A writer whose writes need not be awaited, as the calls of `send` need not:
 * what waits of them is bounded, and one that rejects does not end the process.
 */
function boundedWriter(
  writer: WritableStreamDefaultWriter<unknown>,
  backlog: Backlog,
  end: SendEnd<unknown>,
): WritableStreamDefaultWriter<unknown> {
  const { write, close, abort } = writer;
  return Object.assign(writer, {
    write(event: unknown): Promise<void> {
      if (backlog.rejection !== undefined) return backlog.rejection;
      if (backlog.full) return backlog.refuse((error) => end.abort(error));
      backlog.add(contentSize(event));
      return handled(write.call(writer, event));
    },
    close: () => handled(close.call(writer)),
    abort: (reason: unknown) => handled(abort.call(writer, reason)),
  });
}

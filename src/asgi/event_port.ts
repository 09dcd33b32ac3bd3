/**
 * The `receive` and `send` that an application is called with: functions that
 * are streams as well. A stream is made only when it is first asked for.
 *
 * @module
 */

import type { EventOrigin, EventSource } from "../streams/event_streams.ts";
import { handled } from "../streams/handled.ts";
import { Backlog, contentSize } from "./sends.ts";

/** Where the events of one call of an application come from, and go to. */
export interface EventPort<In, Out> extends EventOrigin<In> {
  /** The events for the application. */
  readonly source: EventSource<In>;
  /** Takes an event of the application. */
  send(event: Out): Promise<void>;
  /** The application has aborted its stream of events. */
  abort(reason: unknown): void;
  /** An event of the application was refused before it came here. */
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

const PORT = Symbol("port");
const WRITABLE = Symbol("writable");

interface Bound {
  [PORT]: EventPort<unknown, unknown>;
  [WRITABLE]?: WritableStream<unknown>;
}

// The properties stand on shared prototypes, because defining them on each
// function would cost more than all else that is made for a call.
const receivePrototype = Object.create(Function.prototype, {
  readable: {
    get(this: Bound): ReadableStream<unknown> {
      return this[PORT].source.readable;
    },
  },
  [Symbol.asyncIterator]: {
    // Not the stream's own iterator, so that a loop and calls can take turns.
    value(this: Bound): AsyncIterableIterator<unknown> {
      return new EventIterator(this[PORT]);
    },
  },
});

/** Gives the events up to the last one; it may be left, and taken up again. */
class EventIterator implements AsyncIterableIterator<unknown> {
  readonly #port: EventPort<unknown, unknown>;
  #done = false;

  constructor(port: EventPort<unknown, unknown>) {
    this.#port = port;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#done) return this.return();
    return this.#port.source.read().then((value) => {
      this.#done = this.#port.isLast(value);
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

const sendPrototype = Object.create(Function.prototype, {
  writable: {
    get(this: Bound): WritableStream<unknown> {
      return this[WRITABLE] ??= writableOf(this[PORT]);
    },
  },
});

// A bound function has the prototype of what it is bound from: this is several
// times cheaper than to set the prototype of each.
const receiveFrom = Object.setPrototypeOf(
  function (this: EventPort<unknown, never>): Promise<unknown> {
    return this.source.read();
  },
  receivePrototype,
);
const sendTo = Object.setPrototypeOf(
  function (this: EventPort<unknown, unknown>, event: unknown): Promise<void> {
    return this.send(event);
  },
  sendPrototype,
);

/** The `receive` of a port. */
export function receiveOf<In>(port: EventPort<In, never>): ReceiveFunction<In> {
  return bind(receiveFrom, port);
}

/** The `send` of a port. */
export function sendOf<Out>(
  port: Pick<EventPort<unknown, Out>, "send" | "abort" | "refused">,
): SendFunction<Out> {
  return bind(sendTo, port);
}

/** Tells the port of a `send` that an event for it was refused; others know none. */
export function noteRefusal(send: object, error: unknown): void {
  (send as Partial<Bound>)[PORT]?.refused(error);
}

function bind<F extends (...args: never[]) => unknown>(
  template: F,
  port: unknown,
): F {
  const bound = template.bind(port as never) as unknown as F & Bound;
  bound[PORT] = port as EventPort<unknown, unknown>;
  return bound;
}

function writableOf(
  port: EventPort<unknown, unknown>,
): WritableStream<unknown> {
  const backlog = new Backlog();
  const writable = new WritableStream<unknown>({
    write(event) {
      // What is piped keeps to the client's pace, and was not counted.
      if (!backlog.empty) backlog.remove(contentSize(event));
      const sent = port.send(event);
      sent.catch((error) => {
        handled(backlog.fail(error));
      });
      return sent;
    },
    abort: (reason) => port.abort(reason),
  });
  const getWriter = writable.getWriter;
  return Object.assign(writable, {
    getWriter: () => boundedWriter(getWriter.call(writable), backlog, port),
  });
}

/**
 * A writer whose writes need not be awaited, as the calls of `send` need not:
 * what waits of them is bounded, and one that rejects does not end the process.
 */
function boundedWriter(
  writer: WritableStreamDefaultWriter<unknown>,
  backlog: Backlog,
  port: EventPort<unknown, unknown>,
): WritableStreamDefaultWriter<unknown> {
  const { write, close, abort } = writer;
  return Object.assign(writer, {
    write(event: unknown): Promise<void> {
      if (backlog.rejection !== undefined) return backlog.rejection;
      if (backlog.full) return backlog.refuse((error) => port.abort(error));
      backlog.add(contentSize(event));
      return handled(write.call(writer, event));
    },
    close: () => handled(close.call(writer)),
    abort: (reason: unknown) => handled(abort.call(writer, reason)),
  });
}

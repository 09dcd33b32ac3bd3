/**
 * The `receive` and `send` that an application is called with: functions that
 * are streams as well. A stream is made only when it is first asked for.
 *
 * @module
 */

/** Where the events of one call of an application come from, and go to. */
export interface EventPort<In, Out> {
  /** The events for the application, made on demand. */
  readonly readable: ReadableStream<In>;
  /** Waits for the next event. */
  receive(): Promise<In>;
  /** Whether no other event follows. */
  isLast(event: In): boolean;
  /** Takes an event of the application. */
  send(event: Out): Promise<void>;
  /** The application has aborted its stream of events. */
  abort(reason: unknown): void;
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
      return this[PORT].readable;
    },
  },
  [Symbol.asyncIterator]: {
    // Not the stream's own iterator, so that a loop and calls can take turns.
    async *value(this: Bound): AsyncGenerator<unknown> {
      for (let last = false; !last;) {
        const event = await this[PORT].receive();
        last = this[PORT].isLast(event);
        yield event;
      }
    },
  },
});

const sendPrototype = Object.create(Function.prototype, {
  writable: {
    get(this: Bound): WritableStream<unknown> {
      return this[WRITABLE] ??= writableOf(this[PORT]);
    },
  },
});

/** The `receive` of a port. */
export function receiveOf<In>(port: EventPort<In, never>): ReceiveFunction<In> {
  return bind(() => port.receive(), port, receivePrototype);
}

/** The `send` of a port. */
export function sendOf<Out>(port: EventPort<unknown, Out>): SendFunction<Out> {
  return bind((event: Out) => port.send(event), port, sendPrototype);
}

function bind(call: unknown, port: unknown, prototype: object) {
  (call as Bound)[PORT] = port as EventPort<unknown, unknown>;
  return Object.setPrototypeOf(call, prototype);
}

function writableOf(
  port: EventPort<unknown, unknown>,
): WritableStream<unknown> {
  return new WritableStream({
    write: (event) => port.send(event),
    abort: (reason) => port.abort(reason),
  });
}

/**
 * For middleware that reads events, or changes them: a `receive` and a
 * `send` around others, which can be used as streams just as those.
 *
 * Events keep their order, also where a change takes its time.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { noteRefusal, sendOf } from "./receive_and_send.ts";
import { Backlog, contentSize } from "./sends.ts";
import type { Receive, ReceiveEvent, Send, SendEvent } from "./types.ts";

/**
 * A `send` that changes each event before it goes on to another `send`. What
 * `change` throws rejects the event's send.
 *
 * @example
 * ```ts
 * import { type AsgiApp, wrapSend } from "jsr:@x/asgi";
 *
 * function teapot(app: AsgiApp): AsgiApp {
 *   return (scope, receive, send) =>
 *     app(
 *       scope,
 *       receive,
 *       wrapSend(send, (event) =>
 *         event.type === "http.response.start"
 *           ? { ...event, status: 418 }
 *           : event),
 *     );
 * }
 * ```
 */
export function wrapSend(
  send: Send,
  change: (event: SendEvent) => SendEvent | Promise<SendEvent>,
): Send {
  return sendOf(new ChangingPort(send, change)) as Send;
}

/** Gives events to another `send`, changed, in their order. */
class ChangingPort {
  readonly #send: Send;
  readonly #change: (event: SendEvent) => SendEvent | Promise<SendEvent>;
  readonly #turns = new Turns();
  readonly #backlog = new Backlog();

  constructor(
    send: Send,
    change: (event: SendEvent) => SendEvent | Promise<SendEvent>,
  ) {
    this.#send = send;
    this.#change = change;
  }

  send(event: SendEvent): Promise<void> {
    if (this.#backlog.rejection !== undefined) return this.#backlog.rejection;
    if (!this.#turns.isIdle) return this.#wait(event, () => this.#try(event));
    const changed = this.#try(event);
    // At once: the application may return without waiting.
    if (!(changed instanceof Promise)) return this.#send(changed);
    return this.#wait(event, () => changed);
  }

  abort(reason: unknown): Promise<void> {
    return this.#send.writable.abort(reason);
  }

  refused(error: unknown): void {
    noteRefusal(this.#send, error);
  }

  /** Changes an event; what that throws becomes a rejection. */
  #try(event: SendEvent): SendEvent | Promise<SendEvent> {
    try {
      return this.#change(event);
    } catch (error) {
      this.refused(error);
      return handled(Promise.reject(error));
    }
  }

  /** Hands an event over when those before it were handed over. */
  #wait(
    event: SendEvent,
    change: () => SendEvent | Promise<SendEvent>,
  ): Promise<void> {
    // If its stream is locked, only the rejected send says so.
    if (this.#backlog.full) {
      return this.#backlog.refuse((error) => {
        handled(this.abort(error));
      });
    }
    const size = contentSize(event);
    this.#backlog.add(size);
    const handedOver = this.#turns.take(() => this.#handOver(change(), size));
    return handled(handedOver.then(({ sent }) => sent));
  }

  /** That the event is taken over is not waited for before the next one's turn. */
  async #handOver(
    changed: SendEvent | Promise<SendEvent>,
    size: number,
  ): Promise<{ sent: Promise<void> }> {
    try {
      return { sent: handled(this.#send(await changed)) };
    } catch (error) {
      this.refused(error);
      throw error;
    } finally {
      this.#backlog.remove(size);
    }
  }
}

/**
 * A `receive` that changes each event that another `receive` gives. What
 * `change` throws rejects the call that waits for the event.
 */
export function wrapReceive(
  receive: Receive,
  change: (event: ReceiveEvent) => ReceiveEvent | Promise<ReceiveEvent>,
): Receive {
  const turns = new Turns();
  const next = (): Promise<ReceiveEvent> =>
    turns.take(async () => await change(await receive()));
  let readable: ReadableStream<ReceiveEvent> | undefined;
  return Object.defineProperties(next, {
    readable: { get: () => readable ??= streamOf(next) },
    [Symbol.asyncIterator]: { value: () => eventsOf(next) },
  }) as Receive;
}

/** Lets one thing be done after the other; a failure stops none of the rest. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Whether nothing is being done. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  take<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const done = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = done.catch(() => {});
    return done;
  }
}

function streamOf(
  next: () => Promise<ReceiveEvent>,
): ReadableStream<ReceiveEvent> {
  return new ReadableStream({
    async pull(controller) {
      const event = await next();
      controller.enqueue(event);
      if (isLast(event)) controller.close();
    },
  }, { highWaterMark: 0 });
}

async function* eventsOf(
  next: () => Promise<ReceiveEvent>,
): AsyncGenerator<ReceiveEvent> {
  for (;;) {
    const event = await next();
    yield event;
    if (isLast(event)) return;
  }
}

/** Whether no other event follows, in any protocol. */
function isLast({ type }: ReceiveEvent): boolean {
  return type === "http.disconnect" || type === "websocket.disconnect" ||
    type === "lifespan.shutdown";
}

/**
 * For middleware that looks at events, or changes them: a `receive` and a
 * `send` around others, which can be used as streams just as those.
 *
 * Events keep their order, also where a change takes its time.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { sendOf } from "./event_port.ts";
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
  const turns = new Turns();
  // That the event is taken over is not waited for before the next one's turn.
  async function handOver(changed: SendEvent | Promise<SendEvent>) {
    return { sent: handled(send(await changed)) };
  }
  return sendOf({
    send(event: SendEvent): Promise<void> {
      let handedOver;
      if (turns.isIdle) {
        const changed = attempt(() => change(event));
        // At once: the application may return without waiting.
        if (!(changed instanceof Promise)) return send(changed);
        handedOver = turns.take(() => handOver(changed));
      } else {
        handedOver = turns.take(() => handOver(change(event)));
      }
      return handled(handedOver.then(({ sent }) => sent));
    },
    abort: (reason: unknown): Promise<void> => send.writable.abort(reason),
  }) as Send;
}

/** Calls a function; what it throws becomes a rejection. */
function attempt<T>(call: () => T | Promise<T>): T | Promise<T> {
  try {
    return call();
  } catch (error) {
    return handled(Promise.reject(error));
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

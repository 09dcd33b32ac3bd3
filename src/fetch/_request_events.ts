/**
 * The events of a request, as a `fetch` handler sees them: a stream of its
 * content, and a signal that is aborted when the client disconnects.
 *
 * The events hold both, in order. So one event is taken ahead, and no more:
 * a disconnect is noticed unless its content waits to be read.
 *
 * @module
 */

import { ClientDisconnected } from "../asgi/errors.ts";
import type { Receive, ReceiveEvent } from "../asgi/types.ts";
import { handled } from "../streams/handled.ts";

/** Takes the events of one request. */
export class RequestEvents {
  readonly #receive: Receive;
  readonly #disconnected = new AbortController();
  #ahead: Promise<ReceiveEvent> | undefined;
  #answered = false;

  /** `ahead`: whether an event is taken before content is asked for. */
  constructor(receive: Receive, ahead: boolean) {
    this.#receive = receive;
    if (ahead) this.#takeAhead();
  }

  /** Aborted when the client disconnects before it was answered. */
  get signal(): AbortSignal {
    return this.#disconnected.signal;
  }

  /** The client has disconnected. */
  abort(): void {
    if (this.#answered || this.#disconnected.signal.aborted) return;
    this.#disconnected.abort(
      new DOMException("The client has disconnected", "AbortError"),
    );
  }

  /** The last of the response is being sent: a disconnect means nothing now. */
  answered(): void {
    this.#answered = true;
  }

  /** The request's content; it errors if the client disconnects too soon. */
  body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream(
      { pull: (controller) => this.#pull(controller) },
      { highWaterMark: 0 },
    );
  }

  async #pull(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    for (;;) {
      const event = await this.#next();
      if (event.type !== "http.request") throw new ClientDisconnected();
      const { body, more_body } = event;
      if (body.length > 0) controller.enqueue(body as Uint8Array<ArrayBuffer>);
      if (!more_body) return controller.close();
      this.#takeAhead();
      if (body.length > 0) return;
    }
  }

  #next(): Promise<ReceiveEvent> {
    const next = this.#ahead ?? this.#take();
    this.#ahead = undefined;
    return next;
  }

  #takeAhead(): void {
    // The next read gets it.
    this.#ahead = handled(this.#take());
  }

  async #take(): Promise<ReceiveEvent> {
    const event = await this.#receive();
    if (isDisconnectEvent(event)) this.abort();
    // What follows can only be a disconnect, which `#take` itself notices.
    else if (isLastContent(event)) handled(this.#take());
    return event;
  }
}

function isDisconnectEvent({ type }: ReceiveEvent): boolean {
  return type === "http.disconnect" || type === "websocket.disconnect";
}

/** Whether only a disconnect can follow. */
function isLastContent(event: ReceiveEvent): boolean {
  return event.type !== "http.request" || !event.more_body;
}

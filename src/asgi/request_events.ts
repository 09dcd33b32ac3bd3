/**
 * What an application receives of a request: its content, then nothing until
 * the client disconnects or the response is over, then the disconnect for ever.
 *
 * The events pass a {@linkcode DemandPipe}, `toApp`, which has one made when the
 * application waits for it: so content is read from the wire at the pace of the
 * application, and of one that never receives, none is.
 *
 * @module
 */

import type { Answerable } from "../http/exchange.ts";
import {
  DemandPipe,
  type EventMaker,
  PipePool,
} from "../streams/event_pipe.ts";
import { giveWayAt } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { EventView, ReceiveEnd } from "./receive_and_send.ts";
import type { HttpReceiveEvent } from "./types.ts";

const EMPTY = new Uint8Array(0);
const DISCONNECT: HttpReceiveEvent = Object.freeze({ type: "http.disconnect" });

const pipes = new PipePool(() => new DemandPipe<HttpReceiveEvent>());

/** Is called when the content of a request turns out to be bad. */
export interface BadContentListener {
  /** `error` carries the status to answer with, unless the client is lost. */
  contentFailed(error: unknown): void;
}

/** The events of one request: the server's side of `toApp`, and its two ends. */
export class RequestEvents
  implements ReceiveEnd<HttpReceiveEvent>, EventMaker<HttpReceiveEvent> {
  /** The stream over the application's end, once it was asked for. */
  view: EventView<HttpReceiveEvent> | undefined;

  readonly #wire: Answerable;
  readonly #listener: BadContentListener;
  #toApp: DemandPipe<HttpReceiveEvent> | undefined;
  #complete = false;
  /** Ends the wait for content, or for the disconnect. */
  #wake: ((event: HttpReceiveEvent) => void) | undefined;
  #ended = false;
  #released = false;
  #readsAfterEnd = 0;

  /** Reads nothing yet. */
  constructor(wire: Answerable, listener: BadContentListener) {
    this.#wire = wire;
    this.#listener = listener;
  }

  /** The application waits for the next event. */
  read(): Promise<HttpReceiveEvent> {
    if (this.#released) return this.#readAfterEnd();
    this.#toApp ??= this.#lend();
    return this.#toApp.read();
  }

  /** Applications may ask without end for the disconnect. */
  #readAfterEnd(): Promise<HttpReceiveEvent> {
    const share = giveWayAt(++this.#readsAfterEnd);
    const disconnect = Promise.resolve(DISCONNECT);
    return share === undefined ? disconnect : share.then(() => disconnect);
  }

  /** Whether no other event follows. */
  isLast(event: HttpReceiveEvent): boolean {
    return event.type === "http.disconnect";
  }

  /** From now on there is nothing but the disconnect. */
  end(): void {
    this.#ended = true;
    this.#wake?.(DISCONNECT);
  }

  /** The client sends nothing more: what it has sent can still be received. */
  halfClosed(): void {
    if (this.#complete) this.#wake?.(DISCONNECT);
  }

  /** The call is over, and has come to its end before: gives `toApp` back. */
  release(): void {
    const toApp = this.#toApp;
    this.#released = true;
    this.#toApp = undefined;
    if (toApp === undefined) return;
    if (toApp.isEmpty) giveBack(toApp);
    // The reads that wait get the disconnect, and so does this one after them.
    else handled(toApp.read().then(() => giveBack(toApp)));
  }

  #lend(): DemandPipe<HttpReceiveEvent> {
    const pipe = pipes.lend();
    pipe.takeFrom(this);
    return pipe;
  }

  /** Makes the next event; is called by the pipe when one is waited for. */
  nextEvent(): HttpReceiveEvent | Promise<HttpReceiveEvent> {
    if (this.#ended) return DISCONNECT;
    if (!this.#complete) return this.#takeBody() ?? this.#waitForBody();
    if (this.#wire.disconnect !== undefined) return DISCONNECT;
    return new Promise((wake) => this.#wake = wake);
  }

  #takeBody(): HttpReceiveEvent | undefined {
    try {
      const chunk = this.#wire.takeBody();
      if (chunk === undefined && !this.#wire.bodyComplete) return undefined;
      return this.#contentEvent(chunk ?? EMPTY);
    } catch (error) {
      return this.#failed(error);
    }
  }

  #waitForBody(): Promise<HttpReceiveEvent> {
    return new Promise((wake) => {
      this.#wake = wake;
      this.#wire.readBody().then(
        (chunk) => wake(this.#contentEvent(chunk ?? EMPTY)),
        (error) => wake(this.#failed(error)),
      );
    });
  }

  #contentEvent(body: Uint8Array): HttpReceiveEvent {
    const more_body = !this.#wire.bodyComplete;
    this.#complete = !more_body;
    return { type: "http.request", body, more_body };
  }

  #failed(error: unknown): HttpReceiveEvent {
    this.#listener.contentFailed(error);
    return DISCONNECT;
  }
}

function giveBack(pipe: DemandPipe<HttpReceiveEvent>): void {
  pipe.takeFrom(undefined);
  pipes.giveBack(pipe);
}

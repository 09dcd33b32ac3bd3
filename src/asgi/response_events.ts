/**
 * What an application sends for a response, on its way into `fromApp`, the
 * {@linkcode EventPipe} that the server reads from.
 *
 * An event is checked before it enters: its shape, then its order and length. So
 * a faulty event rejects its own `send`, and changes nothing. The pipe holds
 * some of what the client can't take yet, as copies, so that a `send` resolves
 * when its event was taken or is held, and its buffer can be used again.
 *
 * The start enters together with the content after it, as one {@linkcode Opening}:
 * they leave together as well, and to pass the pipe twice would cost a short
 * response half a microsecond.
 *
 * Large content and files enter as a {@linkcode Transfer}, which is not copied:
 * its `send` resolves when all of it was dealt with. How long a file is, and
 * whether it can be read, shows only then; so what follows one is checked when
 * its turn has come.
 *
 * @module
 */

import type { Answerable } from "../http/exchange.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import {
  type EventHandler,
  HandledPipe,
  PipePool,
} from "../streams/event_pipe.ts";
import { handled } from "../streams/handled.ts";
import type { AppCalls } from "./app_calls.ts";
import {
  type ClientDisconnected,
  InvalidEventError,
  isDisconnect,
} from "./errors.ts";
import {
  checkEvent,
  type ResponseBody,
  type ResponseStart,
} from "./http_events.ts";
import type { SendEnd } from "./receive_and_send.ts";
import {
  type FileEvent,
  type OrderedEvent,
  ResponseOrder,
} from "./response_order.ts";
import { contentSize, Sends } from "./sends.ts";
import type { HttpSendEvent } from "./types.ts";

/** The high-water mark of `fromApp`. */
const MAX_HELD_BYTES = 32 * 1024;
/** What any event counts for at least: few are held, however small they are. */
const MIN_EVENT_BYTES = 8 * 1024;
/** Larger content is not held as a copy. */
const MAX_COPIED_BYTES = 2 * 1024;
/** The wire is given content in pieces of at most this size. */
export const MAX_PIECE_BYTES = 64 * 1024;

const RETURNED = "Cannot complete response: the application has returned";

/** What the server reads from `fromApp`. */
export type EnteredEvent = OrderedEvent | Opening | Transfer | typeof END;

/** The start of a response, and its first content. */
export interface Opening {
  readonly type: "opening";
  readonly start: ResponseStart;
  readonly content: ResponseBody;
}

/** An event whose send resolves when it was dealt with. */
export interface Transfer {
  readonly type: "transfer";
  /** The event; one that follows a file was not checked. */
  readonly event:
    | { readonly checked: OrderedEvent | FileEvent }
    | { readonly unchecked: HttpSendEvent };
  /** What it counts for among what waits. */
  readonly size: number;
  /** Its send. */
  readonly done: PromiseWithResolvers<void>;
}

/** After the last event of a response that is not complete. */
const END = Object.freeze({ type: "end" });

const pipes = new PipePool(() =>
  new HandledPipe<EnteredEvent>({
    highWaterMark: MAX_HELD_BYTES,
    size: (event) => Math.max(sizeOf(event), MIN_EVENT_BYTES),
    copy,
  })
);

/** The application's end of `fromApp`, and what has become of the application. */
export class ResponseEvents implements SendEnd<HttpSendEvent> {
  /** How far the response has come, by what has entered. */
  readonly order: ResponseOrder;

  readonly #wire: Pick<Answerable, "earlyHints">;
  readonly #calls: AppCalls;
  readonly #sends = new Sends();
  /** The start, until there is content to enter with. */
  #start: ResponseStart | undefined;
  /** Lent when something is sent, until the response is over. */
  #fromApp: HandledPipe<EnteredEvent> | undefined;
  #handler: EventHandler<EnteredEvent> | undefined;
  /** Transfers that were not taken, in order, and the one that was. */
  #waiting: Set<Transfer> | undefined;
  #current: Transfer | undefined;
  /** Transfers whose outcome decides what may follow. */
  #undecided = 0;
  /** What the application has thrown, or aborted its stream with. */
  #fault: { readonly error: unknown } | undefined;
  #disconnected: ClientDisconnected | undefined;
  /** Whether the application has returned too early. */
  #incomplete = false;
  #ended = false;

  /** Takes the events of a response to a request of `method`. */
  constructor(
    wire: Pick<Answerable, "earlyHints">,
    calls: AppCalls,
    method: string,
  ) {
    this.#wire = wire;
    this.#calls = calls;
    this.order = new ResponseOrder(method);
  }

  /** From the first on, `handler` gets what has entered. */
  giveTo(handler: EventHandler<EnteredEvent>): void {
    this.#handler = handler;
  }

  // The application's side.

  /** Takes an event of the application. */
  send(event: HttpSendEvent): Promise<void> {
    if (this.#sends.full) this.#overflow();
    const decided = this.#undecided === 0;
    if (decided && this.order.complete) return this.#ignore(event);
    if (this.#sends.rejection !== undefined) {
      return this.#sends.inVain(this.#sends.rejection);
    }
    if (!decided) return this.#transfer({ unchecked: event });
    try {
      return this.#enter(this.#check(event));
    } catch (error) {
      if (this.order.broken) this.end();
      return this.#sends.reject(error);
    }
  }

  /** An event was refused before it came here. */
  refused(error: unknown): void {
    this.#sends.note(error);
  }

  /** Ends the response as a throw does; the application may run on. */
  abort(reason: unknown): void {
    this.fail(reason);
    this.end();
  }

  /** Too much waits: the response fails, unless it has failed before. */
  #overflow(): void {
    if (this.#fault !== undefined || this.order.complete) return;
    handled(this.#sends.refuse((error) => this.abort(error)));
  }

  #ignore(event: HttpSendEvent): Promise<void> {
    this.#calls.onIgnoredEvent(String(event?.type));
    return this.#sends.inVain(Promise.resolve());
  }

  #check(event: HttpSendEvent): OrderedEvent | FileEvent {
    const checked = checkEvent(event);
    if (checked.type === "http.response.early_hint") this.#requireEarlyHints();
    if (isFile(checked)) this.order.requireFile(checked);
    else this.order.take(checked);
    return checked;
  }

  #requireEarlyHints(): void {
    if (this.#wire.earlyHints) return;
    throw new InvalidEventError(
      "Cannot send http.response.early_hint: the scope does not offer it; it does if the server's option earlyHints is on, but not over HTTP/1.0",
    );
  }

  #enter(event: OrderedEvent | FileEvent): Promise<void> {
    if (event.type === "http.response.start") {
      this.#start = event;
      return Promise.resolve();
    }
    if (isFile(event)) return this.#transfer({ checked: event });
    const size = sizeOf(event);
    const fromApp = this.#fromApp ?? this.#lend();
    const max = fromApp.isAwaited ? MAX_PIECE_BYTES : MAX_COPIED_BYTES;
    if (size > max) return this.#transfer({ checked: event });
    this.#sends.add(size);
    return fromApp.write(this.#withStart(event));
  }

  #withStart(event: OrderedEvent): OrderedEvent | Opening {
    const start = this.#start;
    if (start === undefined || event.type !== "http.response.body") {
      return event;
    }
    this.#start = undefined;
    return { type: "opening", start, content: event };
  }

  #lend(): HandledPipe<EnteredEvent> {
    const pipe = this.#fromApp = pipes.lend();
    pipe.giveTo(this.#handler);
    return pipe;
  }

  #transfer(event: Transfer["event"]): Promise<void> {
    const transfer: Transfer = {
      type: "transfer",
      event,
      // A single one may be of any size.
      size: this.#sends.bytes === 0 ? 1 : contentSize(eventOf(event)),
      done: Promise.withResolvers(),
    };
    (this.#waiting ??= new Set()).add(transfer);
    if (decides(transfer)) this.#undecided++;
    const fromApp = this.#fromApp ?? this.#lend();
    if (this.#start !== undefined) this.#enterStart(fromApp, this.#start);
    this.#sends.add(transfer.size);
    handled(fromApp.write(transfer)); // What becomes of it, `done` says.
    return handled(transfer.done.promise);
  }

  #enterStart(fromApp: HandledPipe<EnteredEvent>, start: ResponseStart): void {
    this.#start = undefined;
    this.#sends.add(sizeOf(start));
    handled(fromApp.write(start)); // Its send has resolved.
  }

  // The call.

  /** The application has thrown, or has aborted: the same error counts once. */
  fail(error: unknown): void {
    if (this.#fault !== undefined && this.#fault.error === error) return;
    this.#fault = { error };
    if (!isDisconnect(error)) this.#calls.onAppError(error);
  }

  /** Whether the application has stopped without an error of its own. */
  get faultless(): boolean {
    if (this.#incomplete) return false;
    return this.#fault === undefined || isDisconnect(this.#fault.error);
  }

  /** Whether a transfer waits, or is under way. */
  get pending(): boolean {
    return this.#nextTransfer !== undefined;
  }

  /** Resolves when no transfer waits, or is under way. */
  async settled(): Promise<void> {
    for (let transfer; (transfer = this.#nextTransfer) !== undefined;) {
      await transfer.done.promise.catch(() => {}); // Its send has the error.
    }
  }

  get #nextTransfer(): Transfer | undefined {
    return this.#current ?? this.#waiting?.values().next().value;
  }

  /**
   * The application has returned amid its response: that is a fault, unless the
   * client has disconnected before.
   */
  returned(clientLeft: boolean): void {
    if (this.#fault !== undefined) return;
    if (clientLeft && !this.order.broken) return;
    this.#incomplete = true;
    this.#calls.onAppError(this.#sends.explain(RETURNED));
  }

  /** Reports an event that was refused, unless that has come to light. */
  report(): void {
    this.#sends.report(this.#calls, this.#fault);
  }

  /** No event will follow: says so after all that have entered, unless they do. */
  end(): void {
    if (this.#ended || this.#disconnected !== undefined) return;
    if (this.order.complete && !this.pending) return;
    this.#ended = true;
    handled((this.#fromApp ?? this.#lend()).write(END)); // No send waits for it.
  }

  /** From now on all sends reject with `reason`, also those that wait. */
  disconnect(reason: ClientDisconnected): void {
    if (this.#disconnected !== undefined) return;
    this.#disconnected = reason;
    handled(this.#sends.fail(reason)); // For sends to come.
    this.#fromApp?.cancel(reason);
    this.#waiting?.forEach(({ done }) => done.reject(reason));
    this.#waiting?.clear();
  }

  /** Whether sends reject because the client has disconnected, or was refused. */
  get disconnected(): boolean {
    return this.#disconnected !== undefined;
  }

  /** Gives `fromApp` back: the response is over. */
  release(): void {
    const fromApp = this.#fromApp;
    this.#fromApp = undefined;
    fromApp?.giveTo(undefined);
    if (fromApp !== undefined) pipes.giveBack(fromApp);
  }

  // The server's side.

  /** An event has come out of `fromApp`. */
  taken(event: EnteredEvent): void {
    if (event.type === "end") return;
    if (event.type !== "transfer") return this.#sends.remove(sizeOf(event));
    this.#sends.remove(event.size);
    this.#waiting?.delete(event);
    this.#current = event;
  }

  /**
   * The event of a transfer that was taken; `undefined` if it is ignored.
   *
   * @throws {InvalidEventError} If it is faulty, and was not checked before.
   * @throws What has ended the response.
   */
  open({ event }: Transfer): OrderedEvent | FileEvent | undefined {
    if ("checked" in event) return event.checked;
    this.requireGoingOn();
    if (!this.order.complete) return this.#check(event.unchecked);
    handled(this.#ignore(event.unchecked)); // It resolves.
  }

  /** @throws What has ended the response, if it has ended. */
  requireGoingOn(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    if (this.#disconnected !== undefined) throw this.#disconnected;
  }

  /** A transfer was dealt with, or has failed. */
  settle(transfer: Transfer, failure?: { readonly error: unknown }): void {
    this.#current = undefined;
    if (decides(transfer)) this.#undecided--;
    if (failure === undefined) return transfer.done.resolve();
    if (this.#fault === undefined) this.#sends.note(failure.error);
    transfer.done.reject(failure.error);
    if (this.order.broken) this.end();
  }
}

function isFile(event: OrderedEvent | FileEvent): event is FileEvent {
  return event.type === "http.response.pathsend" ||
    event.type === "http.response.zerocopysend";
}

/** Whether what may follow a transfer is known only when it is done. */
function decides({ event }: Transfer): boolean {
  return "unchecked" in event || isFile(event.checked);
}

function eventOf(event: Transfer["event"]): unknown {
  return "checked" in event ? event.checked : event.unchecked;
}

/** The bytes of content that an event carries into the pipe. */
function sizeOf(event: EnteredEvent): number {
  if (event.type === "opening") return event.content.body.length;
  return event.type === "http.response.body" ? event.body.length : 0;
}

/** A copy of an event whose content is not the application's any more. */
function copy(event: EnteredEvent): EnteredEvent {
  if (event.type === "opening") {
    return { ...event, content: copyOf(event.content) };
  }
  return event.type === "http.response.body" ? copyOf(event) : event;
}

function copyOf(content: ResponseBody): ResponseBody {
  return { ...content, body: copyBytes(content.body) };
}

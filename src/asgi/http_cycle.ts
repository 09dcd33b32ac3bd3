/**
 * One request's cycle: calls the application, and connects it with whatever
 * carries the request, an {@linkcode Answerable}; it knows no wire format.
 *
 * {@linkcode RequestEvents} are what the application receives, by `toApp`. What
 * it sends are {@linkcode ResponseEvents}: they come out of `fromApp` in the loop
 * below, and {@linkcode ResponseDriver} drives the wire with them, at the
 * client's pace.
 *
 * The response begins to leave with its first content; until then any fault
 * becomes a 500. Later the response is cut, because the client must not take
 * half of it for a whole one.
 *
 * @module
 */

import type {
  Answerable,
  Disconnect,
  DisconnectListener,
} from "../http/exchange.ts";
import type { EventHandler } from "../streams/event_pipe.ts";
import type { AppCalls } from "./app_calls.ts";
import { ClientDisconnected } from "./errors.ts";
import { receiveOf, sendOf } from "./receive_and_send.ts";
import { type BadContentListener, RequestEvents } from "./request_events.ts";
import { type OpenFile, ResponseDriver } from "./response_driver.ts";
import { type EnteredEvent, ResponseEvents } from "./response_events.ts";
import type { Ending } from "./shutdown_notice.ts";
import type { AsgiApp, HttpScope, Send } from "./types.ts";
import { isInstance, readMember } from "./user_code.ts";

/** What all cycles of a server share. */
export interface CycleContext extends AppCalls {
  /** Opens a file for `http.response.pathsend`. */
  readonly openFile: OpenFile;
}

/** The cycle of one request. */
export class HttpCycle
  implements
    EventHandler<EnteredEvent>,
    DisconnectListener,
    BadContentListener,
    Ending {
  readonly #wire: Answerable;
  readonly #context: CycleContext;
  readonly #request: RequestEvents;
  readonly #response: ResponseEvents;
  readonly #driver: ResponseDriver;
  #returned = false;
  #isOver = false;
  readonly #over = Promise.withResolvers<void>();

  /** `method` is that of the request. */
  constructor(wire: Answerable, context: CycleContext, method: string) {
    this.#wire = wire;
    this.#context = context;
    this.#request = new RequestEvents(wire, this);
    const response = new ResponseEvents(wire, context, method);
    this.#response = response;
    this.#driver = new ResponseDriver(wire, response, context.openFile);
  }

  /**
   * Calls the application.
   *
   * @returns When the response is complete, or was cut short; the application
   * may still run then.
   */
  run(app: AsgiApp, scope: HttpScope): Promise<void> {
    this.#wire.disconnectListener = this;
    this.#wire.callBegan?.();
    this.#response.giveTo(this);
    this.#call(app, scope).catch(this.#over.reject);
    return this.over;
  }

  /** Resolves when the response is complete, or was cut short. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  async #call(app: AsgiApp, scope: HttpScope): Promise<void> {
    const response = this.#response;
    try {
      await app(scope, receiveOf(this.#request), sendOf(response) as Send);
      if (response.pending) await response.settled();
      if (!response.order.complete) response.returned(this.#clientLeft);
    } catch (error) {
      response.fail(error);
    } finally {
      response.end();
      response.report();
      this.#returned = true;
      if (this.#isOver) this.#request.release();
      this.#wire.callReturned?.();
      this.#context.onAppReturned();
    }
  }

  /** Deals with an event that the application has sent. */
  handleEvent(event: EnteredEvent): Promise<void> | undefined {
    try {
      const sent = this.#send(event);
      if (sent !== undefined) return this.#sent(sent);
      this.#afterSend();
    } catch (error) {
      this.#sendFailed(error);
    }
  }

  async #sent(sent: Promise<void>): Promise<void> {
    try {
      await sent;
      this.#afterSend();
    } catch (error) {
      this.#sendFailed(error);
    }
  }

  #send(event: EnteredEvent): Promise<void> | undefined {
    this.#response.taken(event);
    if (event.type === "end") return this.#giveUp();
    return event.type === "transfer"
      ? this.#driver.transfer(event)
      : this.#driver.send(event);
  }

  #afterSend(): void {
    if (!this.#driver.complete) return;
    this.#end();
    // What follows is ignored, if it has come already.
    if (!this.#response.pending) this.#response.release();
  }

  #sendFailed(error: unknown): void {
    if (this.#isOver) return;
    if (!(error instanceof ClientDisconnected)) {
      this.#context.onAppError(error);
      return this.#fail(500, error);
    }
    this.#wire.abort();
    this.#disconnect(error.cause);
    this.#end();
  }

  /** No event will follow, and the response is not whole: its request fails. */
  #giveUp(): undefined {
    if (!this.#clientLeft || !this.#response.faultless) {
      this.#fail(500, undefined);
    } else {
      this.#wire.abort();
      this.#lose();
    }
  }

  /** Whether the application can know of it, also of a half close. */
  get #clientLeft(): boolean {
    return this.#response.disconnected || this.#wire.disconnect !== undefined;
  }

  /** The request is bad after all: it is refused, unless it was answered. */
  contentFailed(error: unknown): void {
    if (this.#isOver || this.#response.order.complete) return;
    const status = isInstance(error, Error) && readMember(error, "status");
    if (typeof status === "number") this.#fail(status, error);
  }

  /** Refuses the request with `status`, or aborts if a response has begun. */
  #fail(status: number, cause: unknown): void {
    this.#disconnect(cause);
    this.#refuse(status).catch((error) => this.#context.onAppError(error));
  }

  async #refuse(status: number): Promise<void> {
    try {
      await this.#wire.refuse(status);
    } catch {
      this.#wire.abort();
    }
    this.#end();
  }

  /** The client has disconnected. */
  disconnected(how: Disconnect): void {
    if (how === "lost") this.#lose();
    else this.#request.halfClosed();
  }

  #lose(): void {
    this.#disconnect(undefined);
    this.#end();
  }

  /** From now on sends reject, and `receive` gives the disconnect. */
  #disconnect(cause: unknown): void {
    if (!this.#response.disconnected) {
      this.#response.disconnect(new ClientDisconnected({ cause }));
    }
    this.#request.end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#wire.disconnectListener = undefined;
    this.#request.end();
    if (this.#returned) this.#request.release();
    this.#over.resolve();
  }
}

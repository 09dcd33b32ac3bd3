/**
 * One WebSocket's cycle: calls the application, gives it the client's
 * messages, and drives the WebSocket, as {@linkcode WEBSOCKET_STATES} allows. It
 * knows no wire format: what carries the WebSocket implements
 * {@linkcode WebSocketWire}.
 *
 * An application that throws gives a 500 before accept, and close code 1011 after;
 * one that returns gives a 500, or 1000. A server that shuts down closes with
 * 1012.
 *
 * @module
 */

import type { DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import { handled } from "../streams/handled.ts";
import type { AppCalls } from "./app_calls.ts";
import {
  ClientDisconnected,
  InvalidEventError,
  isDisconnect,
} from "./errors.ts";
import { receiveOf, type SendEnd, sendOf } from "./receive_and_send.ts";
import { Sends } from "./sends.ts";
import type { Ending } from "./shutdown_notice.ts";
import type {
  AsgiApp,
  Receive,
  Send,
  WebSocketCommand,
  WebSocketScope,
} from "./types.ts";
import {
  checkWebSocketEvent,
  type WebSocketAction,
} from "./websocket_events.ts";
import {
  type ActionTaker,
  contentSize,
  FromApp,
  isLong,
} from "./websocket_from_app.ts";
import { stateAfter, type WebSocketState } from "./websocket_states.ts";
import { type CloseListener, ToApp } from "./websocket_to_app.ts";
import type {
  MessageMeter,
  WebSocketAcceptance,
  WebSocketSession,
  WebSocketWire,
} from "./websocket_wire.ts";

// Close codes (RFC 6455, section 7.4, and IANA's registry).
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
const INTERNAL_ERROR = 1011;
const SERVICE_RESTART = 1012;

/** As much may wait in the session, for one write. */
const MAX_JOINED_BYTES = 32 * 1024;

/** The calls of the application, and their messages. */
export interface WebSocketCalls extends AppCalls {
  /** Counts messages. */
  readonly meter?: MessageMeter | undefined;
}

/** The cycle of one WebSocket. */
export class WebSocketCycle
  implements
    SendEnd<WebSocketCommand>,
    ActionTaker,
    CloseListener,
    DisconnectListener,
    Ending {
  /** What carries the handshake; dropped once the WebSocket is open. */
  #wire: WebSocketWire | undefined;
  readonly #scope: WebSocketScope;
  readonly #calls: WebSocketCalls;

  // Towards the application.
  readonly #toApp: ToApp;
  #answered: PromiseWithResolvers<void> | undefined = Promise.withResolvers();

  // Towards the client.
  readonly #fromApp = new FromApp(this);
  readonly #sends = new Sends();
  #state: WebSocketState = "connecting";
  #session: WebSocketSession | undefined;
  #denial: { status: number; headers: readonly Field[] } | undefined;

  /** What the application has thrown, or aborted its stream with. */
  #fault: { readonly error: unknown } | undefined;
  /** Whether the application has returned: it receives no more messages. */
  #returned = false;
  readonly #over = Promise.withResolvers<void>();

  /** Nothing is called yet. */
  constructor(
    wire: WebSocketWire,
    scope: WebSocketScope,
    calls: WebSocketCalls,
  ) {
    this.#wire = wire;
    this.#scope = scope;
    this.#calls = calls;
    this.#toApp = new ToApp(this, calls.meter);
  }

  /**
   * Calls the application.
   *
   * @returns When the WebSocket is closed, or was denied; the application may
   * still run then.
   */
  run(app: AsgiApp): Promise<void> {
    this.#wire!.disconnectListener = this;
    this.#call(app);
    return this.over;
  }

  /** Resolves when the WebSocket is closed, or was denied. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Resolves when the handshake was answered: accepted or denied. */
  get answered(): Promise<unknown> {
    return this.#answered?.promise ?? Promise.resolve();
  }

  /** Brings the WebSocket to its end, because the server shuts down. */
  shutdown(): void {
    if (this.#state === "open") {
      handled(this.#closeBy(SERVICE_RESTART));
    } else if (this.#state === "connecting") {
      this.#deny(503).catch(this.#report);
    }
  }

  #call(app: AsgiApp): void {
    const receive = receiveOf(this.#toApp) as Receive;
    const send = sendOf(this) as unknown as Send;
    Promise.try(app, this.#scope, receive, send)
      .then(() => this.#finish(NORMAL_CLOSURE), (error) => this.#failed(error))
      .finally(() => {
        this.#sends.report(this.#calls, this.#fault);
        this.#returned = true;
        this.#release();
        this.#calls.onAppReturned();
      })
      .catch(this.#report);
  }

  /** What is done while nobody waits should not fail; if it does, it shows. */
  readonly #report = (error: unknown): void => this.#calls.onAppError(error);

  async #failed(error: unknown): Promise<void> {
    if (this.#fault !== undefined && this.#fault.error === error) return;
    this.#fault = { error };
    if (!isDisconnect(error)) this.#calls.onAppError(error);
    await this.#finish(INTERNAL_ERROR);
  }

  /** The application has returned: a WebSocket that is still open is closed. */
  async #finish(code: number): Promise<void> {
    if (this.#state === "open") {
      await this.#closeBy(code).catch(() => {});
    } else if (this.#state !== "closed") {
      if (code === NORMAL_CLOSURE) {
        this.#calls.onAppError(this.#sends.explain(RETURNED));
      }
      await this.#deny(500);
    }
  }

  /** The application receives no more. */
  #release(): void {
    this.#toApp.release();
    this.#session?.releaseMessages?.();
  }

  /** Closes after what was sent before. */
  #closeBy(code: number): Promise<void> {
    this.#state = stateAfter(this.#state, "end");
    return this.#write({ type: "websocket.close", code, reason: "" });
  }

  /** The application has received the client's close: it can answer no more. */
  onCloseReceived(): void {
    this.#state = stateAfter(this.#state, "end");
  }

  // From the application: events are checked, then go into `fromApp`.

  /** Takes an event of the application. */
  send(event: WebSocketCommand): Promise<void> {
    if (this.#sends.rejection !== undefined) {
      return this.#sends.inVain(this.#sends.rejection);
    }
    if (this.#state === "closed" || this.#session?.ended) {
      return this.#sends.fail(new ClientDisconnected());
    }
    // The WebSocket is closed as by a throw.
    if (this.#sends.full) {
      return this.#sends.refuse((error) => this.abort(error));
    }
    try {
      const action = checkWebSocketEvent(event);
      const next = stateAfter(this.#state, action);
      this.#checkOffered(action);
      this.#state = next;
      return this.#write(action);
    } catch (error) {
      return this.#sends.reject(error);
    }
  }

  /** An event of the application was refused before it came here. */
  refused(error: unknown): void {
    this.#sends.note(error);
  }

  #write(action: WebSocketAction): Promise<void> {
    this.#sends.add(contentSize(action));
    return this.#fromApp.write(action);
  }

  /** Closes the WebSocket, or denies it, as a throw does. */
  abort(reason: unknown): void {
    this.#failed(reason).catch(this.#report);
  }

  #checkOffered(action: WebSocketAction): void {
    if (action.type !== "websocket.accept") return;
    const { subprotocol } = action;
    if (subprotocol === null) return;
    if (this.#scope.subprotocols.includes(subprotocol)) return;
    throw new InvalidEventError(
      `Cannot send websocket.accept: the client did not offer "${subprotocol}"`,
    );
  }

  // Towards the client: `fromApp` gives one event at a time.

  /** Does what the application wants to be done. */
  takeAction(
    action: WebSocketAction,
    more: boolean,
  ): Promise<void> | undefined {
    this.#sends.remove(contentSize(action));
    if (action.type !== "websocket.send") return this.#deal(action);
    const { message } = action;
    const { meter } = this.#calls;
    if (meter !== undefined) meter.messagesSent++;
    const session = this.#session!;
    const sent = handled(session.send(message, { more }));
    const { waiting = MAX_JOINED_BYTES } = session;
    // Small messages need not wait for each other: they leave together.
    return waiting < MAX_JOINED_BYTES && !isLong(message)
      ? undefined
      : sent.catch(this.#sendFailed);
  }

  readonly #sendFailed = (cause: unknown): never => {
    this.#state = stateAfter(this.#state, "end");
    throw new ClientDisconnected({ cause });
  };

  async #deal(action: WebSocketAction): Promise<void> {
    try {
      await this.#perform(action);
    } catch (error) {
      this.#state = stateAfter(this.#state, "end");
      // An open WebSocket sees to its own end: its close may be on its way.
      if (this.#session === undefined) {
        this.#wire?.abort();
        this.#end();
      }
      throw new ClientDisconnected({ cause: error });
    }
  }

  #perform(action: WebSocketAction): Promise<void> | undefined {
    switch (action.type) {
      case "websocket.accept":
        return this.#open(action);
      case "websocket.close":
        if (this.#session === undefined) return this.#deny(403);
        return this.#close(this.#session, action.code, action.reason);
      case "websocket.http.response.start":
        this.#denial = action;
        return undefined;
      case "websocket.http.response.body":
        return this.#denyWith(action.body, !action.more_body);
    }
  }

  async #open(acceptance: WebSocketAcceptance): Promise<void> {
    const session = await this.#wire!.accept(acceptance, {
      messages: this.#toApp.sink,
      sendsMade: () => this.#fromApp.emptied,
    });
    this.#session = session;
    this.#wire = undefined;
    this.#answered?.resolve();
    this.#answered = undefined;
    if (this.#returned) this.#release();
    session.closed.then(() => this.#end()).catch(this.#report);
  }

  /** The application receives its own close, and no message that crosses it. */
  async #close(
    session: WebSocketSession,
    code: number,
    reason: string,
  ): Promise<void> {
    this.#toApp.cut(code, reason);
    await session.close(code, reason);
  }

  async #denyWith(body: Uint8Array, last: boolean): Promise<void> {
    if (this.#denial !== undefined) {
      this.#wire!.head(this.#denial.status, this.#denial.headers);
      this.#denial = undefined;
    }
    await this.#wire!.data(body, last);
    if (last) this.#end();
  }

  async #deny(status: number): Promise<void> {
    this.#state = stateAfter(this.#state, "end");
    try {
      await this.#wire?.refuse(status);
    } catch {
      this.#wire?.abort();
    }
    this.#end();
  }

  /** The client has disconnected before it was answered. */
  disconnected(): void {
    if (this.#session !== undefined) return;
    this.#wire?.abort();
    this.#end();
  }

  /** From now on sends reject; what has arrived can still be received. */
  #end(): void {
    this.#state = stateAfter(this.#state, "end");
    if (this.#session === undefined) this.#toApp.end(ABNORMAL_CLOSURE, "");
    this.#answered?.resolve();
    this.#over.resolve();
  }
}

const RETURNED =
  "Cannot complete handshake: the application has returned without an answer";

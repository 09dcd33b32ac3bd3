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
import {
  EventSink,
  EventSource,
  type EventTaker,
} from "../streams/event_streams.ts";
import { handled } from "../streams/handled.ts";
import type { AppCalls } from "./app_calls.ts";
import {
  ClientDisconnected,
  InvalidEventError,
  isDisconnect,
} from "./errors.ts";
import { type EventPort, receiveOf, sendOf } from "./event_port.ts";
import { Sends } from "./sends.ts";
import type { Ending } from "./shutdown_notice.ts";
import type {
  AsgiApp,
  Receive,
  Send,
  WebSocketCommand,
  WebSocketEvent,
  WebSocketScope,
} from "./types.ts";
import {
  checkWebSocketEvent,
  type WebSocketAction,
} from "./websocket_events.ts";
import { stateAfter, type WebSocketState } from "./websocket_states.ts";
import type {
  MessageMeter,
  WebSocketInput,
  WebSocketSession,
  WebSocketWire,
} from "./websocket_wire.ts";

// Close codes (RFC 6455, section 7.4, and IANA's registry).
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
const INTERNAL_ERROR = 1011;
const SERVICE_RESTART = 1012;

/** So much may wait to be written before a send has to wait. */
const MAX_WAITING_BYTES = 32 * 1024;

/** The calls of the application, and their messages. */
export interface WebSocketCalls extends AppCalls {
  /** Counts messages. */
  readonly meter?: MessageMeter | undefined;
}

/** The cycle of one WebSocket. */
export class WebSocketCycle
  implements
    EventPort<WebSocketEvent, WebSocketCommand>,
    EventTaker<WebSocketAction>,
    DisconnectListener,
    Ending {
  /** Called when the WebSocket is closed, or was denied. */
  onEnd: (() => void) | undefined;

  /** What carries the handshake; dropped once the WebSocket is open. */
  #wire: WebSocketWire | undefined;
  readonly #scope: WebSocketScope;
  readonly #calls: WebSocketCalls;

  // Towards the application.
  /** The WebSocket's events; each is made when it is asked for. */
  readonly source: EventSource<WebSocketEvent> = new EventSource(this);
  #connectSent = false;
  #opened: PromiseWithResolvers<WebSocketSession | undefined> | undefined =
    Promise.withResolvers();

  // Towards the client.
  readonly #sink: EventSink<WebSocketAction>;
  readonly #sends = new Sends();
  #state: WebSocketState = "connecting";
  #session: WebSocketSession | undefined;
  #denial: { status: number; headers: readonly Field[] } | undefined;

  /** What the application has thrown, or aborted its stream with. */
  #fault: { readonly error: unknown } | undefined;
  /** The last event, once it is known. */
  #disconnect: WebSocketEvent | undefined;
  /** Whether the application has returned: it receives no more messages. */
  #returned = false;
  #finishRun: () => void = () => {};
  #ended = false;

  /** Nothing is called yet. */
  constructor(
    wire: WebSocketWire,
    scope: WebSocketScope,
    calls: WebSocketCalls,
  ) {
    this.#wire = wire;
    this.#scope = scope;
    this.#calls = calls;
    this.#sink = new EventSink(this);
  }

  /**
   * Calls the application.
   *
   * @returns When the WebSocket is closed, or was denied; the application may
   * still run then.
   */
  run(app: AsgiApp): Promise<void> {
    this.#wire!.disconnectListener = this;
    const over = new Promise<void>((finish) => this.#finishRun = finish);
    this.#call(app);
    return over;
  }

  /** Whether the WebSocket is closed, or was denied. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the handshake was answered: accepted or denied. */
  get answered(): Promise<unknown> {
    return this.#opened?.promise ?? Promise.resolve();
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
    const receive = receiveOf(this) as Receive;
    const send = sendOf(this) as unknown as Send;
    Promise.try(app, this.#scope, receive, send)
      .then(() => this.#finish(NORMAL_CLOSURE), (error) => this.#failed(error))
      .finally(() => {
        this.#sends.report(this.#calls, this.#fault);
        this.#returned = true;
        this.#session?.release?.();
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

  /** The application is gone: what it left open is closed. */
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

  /** Closes after what was sent before. */
  #closeBy(code: number): Promise<void> {
    this.#state = "closed";
    return this.#write({ type: "websocket.close", code, reason: "" });
  }

  // Towards the application: events are made when it asks for them.

  /** Whether no other event follows. */
  isLast(event: WebSocketEvent): boolean {
    return event.type === "websocket.disconnect";
  }

  /** Makes the WebSocket's next event, when it is there. */
  nextEvent(): WebSocketEvent | Promise<WebSocketEvent> {
    if (!this.#connectSent) {
      this.#connectSent = true;
      return { type: "websocket.connect" };
    }
    if (this.#disconnect !== undefined) return this.#disconnect;
    return this.#session === undefined
      ? this.#opened!.promise.then((session) => this.#receive(session))
      : this.#receive(this.#session);
  }

  #receive(
    session: WebSocketSession | undefined,
  ): WebSocketEvent | Promise<WebSocketEvent> {
    if (session === undefined) return this.#disconnect ?? LOST;
    const input = session.take?.();
    if (input !== undefined) return this.#eventOf(input);
    return session.receive().then((input) => this.#eventOf(input));
  }

  #eventOf(input: WebSocketInput): WebSocketEvent {
    // What comes behind the application's own close is not for it any more.
    if (this.#disconnect !== undefined) return this.#disconnect;
    if (input.type === "close") {
      const { code, reason } = input;
      this.#state = "closed";
      return this.#disconnect = { type: "websocket.disconnect", code, reason };
    }
    const { meter } = this.#calls;
    if (meter !== undefined) meter.messagesReceived++;
    const { data } = input;
    return typeof data === "string"
      ? { type: "websocket.receive", text: data, bytes: null }
      : { type: "websocket.receive", text: null, bytes: data };
  }

  // From the application: events are checked, then go into the sink.

  /** Takes an event of the application. */
  send(event: WebSocketCommand): Promise<void> {
    if (this.#sends.rejection !== undefined) return this.#sends.rejection;
    if (this.#state === "closed") {
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
    this.#sends.add(sizeOf(action));
    return this.#sink.write(action);
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

  // Towards the client: the sink gives one event at a time.

  /** Takes what the application wants to be done. */
  takeEvent(action: WebSocketAction): Promise<void> | undefined {
    this.#sends.remove(sizeOf(action));
    if (action.type !== "websocket.send") return this.#deal(action);
    const session = this.#session;
    const { meter } = this.#calls;
    if (meter !== undefined) meter.messagesSent++;
    const sent = session?.send(action.message);
    const { waiting = MAX_WAITING_BYTES } = session ?? {};
    // Small messages need not wait for each other: they leave together.
    return waiting < MAX_WAITING_BYTES ? undefined : this.#await(sent);
  }

  async #await(sent: Promise<void> | undefined): Promise<void> {
    try {
      await sent;
    } catch (error) {
      this.#state = "closed";
      throw new ClientDisconnected({ cause: error });
    }
  }

  async #deal(action: WebSocketAction): Promise<void> {
    try {
      await this.#perform(action);
    } catch (error) {
      this.#state = "closed";
      // An open WebSocket sees to its own end: its close may be on its way.
      if (this.#session === undefined) {
        this.#wire?.abort();
        this.#end();
      }
      throw new ClientDisconnected({ cause: error });
    }
  }

  /** Behind the last event, nothing is left to do. */
  endOfEvents(): void {}

  #perform(action: WebSocketAction): Promise<void> | undefined {
    switch (action.type) {
      case "websocket.accept":
        return this.#open(action.subprotocol, action.headers);
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

  async #open(
    subprotocol: string | null,
    headers: readonly Field[],
  ): Promise<void> {
    const session = await this.#wire!.accept(subprotocol, headers);
    this.#session = session;
    this.#wire = undefined;
    this.#opened?.resolve(session);
    this.#opened = undefined;
    if (this.#returned) session.release?.();
    session.closed.then(() => this.#end()).catch(this.#report);
  }

  async #close(
    session: WebSocketSession,
    code: number,
    reason: string,
  ): Promise<void> {
    this.#disconnect ??= { type: "websocket.disconnect", code, reason };
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
    this.#state = "closed";
    try {
      await this.#wire?.refuse(status);
    } catch {
      this.#wire?.abort();
    }
    this.#end();
  }

  /** The client left before it was answered: there is nobody to answer. */
  disconnected(): void {
    if (this.#session !== undefined) return;
    this.#wire?.abort();
    this.#end();
  }

  /** From now on sends reject; what has arrived can still be received. */
  #end(): void {
    this.#state = "closed";
    this.#opened?.resolve(undefined);
    this.#ended = true;
    this.onEnd?.();
    this.#finishRun();
  }
}

function sizeOf(action: WebSocketAction): number {
  if (action.type === "websocket.send") return action.message.length;
  return action.type === "websocket.http.response.body"
    ? action.body.length
    : 0;
}

const LOST: WebSocketEvent = {
  type: "websocket.disconnect",
  code: ABNORMAL_CLOSURE,
  reason: "",
};
const RETURNED =
  "Cannot complete handshake: the application has returned without an answer";

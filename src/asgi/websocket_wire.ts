/**
 * What carries a WebSocket, as its cycle sees it: a wire, until the WebSocket is
 * accepted, and a session, while it is open.
 *
 * @module
 */

import type { Answerable, DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import type { MessageSink } from "../streams/message_pipe.ts";

/** What a WebSocket's client sends: a message, or its close. */
export type WebSocketInput =
  | { readonly type: "message"; readonly data: string | Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/**
 * An open WebSocket. What its client sends is written into the sink that it was
 * accepted with; a close, or a loss (1006), is the last.
 */
export interface WebSocketSession {
  /** Lets go of what was received, because nobody will receive any more. */
  releaseMessages?(): void;
  /** Whether nothing can be sent any more. */
  readonly ended?: boolean;
  /**
   * How many bytes of what was sent are not accepted yet; if it is not known, each
   * message waits for the one before.
   */
  readonly waiting?: number;
  /**
   * Sends a message; resolves when it was accepted for writing. Bytes of up to 64
   * KiB are copied before this returns.
   */
  send(data: string | Uint8Array, options: SendHints): Promise<void>;
  /** Sends a close; resolves when it was accepted for writing. */
  close(code: number, reason: string): Promise<void>;
  /** Resolves when the WebSocket has ended. */
  readonly closed: Promise<unknown>;
}

/** What a WebSocket is accepted with. */
export interface WebSocketAcceptance {
  /** One of those that the client offers. */
  readonly subprotocol: string | null;
  /** Fields besides those of the handshake itself. */
  readonly headers: readonly Field[];
}

/** What an open WebSocket and its application have to do with each other. */
export interface WebSocketEnds {
  /** Where what the client sends goes. */
  readonly messages: MessageSink<WebSocketInput>;
  /**
   * When all sends of the application have come to the session; `undefined` if
   * they have.
   */
  sendsMade(): Promise<void> | undefined;
}

/** What is known of a message that is sent. */
export interface SendHints {
  /** Whether another one is sent at once. */
  readonly more: boolean;
}

/** A request for a WebSocket that was not answered yet. */
export interface WebSocketWire {
  /** Is called when the client disconnects before the WebSocket is open. */
  disconnectListener: DisconnectListener | undefined;
  /** Completes the handshake. */
  accept(
    acceptance: WebSocketAcceptance,
    ends: WebSocketEnds,
  ): Promise<WebSocketSession>;
  /** Begins a response that denies the WebSocket. */
  head(status: number, headers: readonly Field[]): void;
  /** Sends content of that response. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined;
  /** Denies the WebSocket with an error page, or aborts. */
  refuse(status: number): Promise<void>;
  /** Cuts the connection, or the stream that the request came by. */
  abort(): void;
}

/**
 * A request for a WebSocket that came by an exchange. Until the WebSocket is
 * accepted, the exchange is answered as any other; how it is accepted is left to
 * the subclass.
 */
export abstract class ExchangeWire<E extends Answerable>
  implements WebSocketWire {
  /** Carries the request, and its answer. */
  protected readonly exchange: E;

  /** Nothing is answered yet. */
  constructor(exchange: E) {
    this.exchange = exchange;
  }

  /** Is called when the client disconnects before the WebSocket is open. */
  set disconnectListener(disconnectListener: DisconnectListener | undefined) {
    this.exchange.disconnectListener = disconnectListener;
  }

  /** Completes the handshake. */
  abstract accept(
    acceptance: WebSocketAcceptance,
    ends: WebSocketEnds,
  ): Promise<WebSocketSession>;

  /** Begins a response that denies the WebSocket. */
  head(status: number, headers: readonly Field[]): void {
    this.exchange.head(status, headers);
  }

  /** Sends content of that response. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.exchange.data(chunk, last);
  }

  /** Denies the WebSocket with an error page, or aborts. */
  refuse(status: number): Promise<void> {
    return this.exchange.refuse(status);
  }

  /** Cuts the exchange. */
  abort(): void {
    this.exchange.abort();
  }
}

/** Counts the messages of WebSockets. */
export interface MessageMeter {
  /** Messages that applications have received. */
  messagesReceived: number;
  /** Messages that applications have sent. */
  messagesSent: number;
}

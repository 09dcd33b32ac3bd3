/**
 * What carries a WebSocket, as its cycle sees it: a wire, until the WebSocket is
 * accepted, and a session, while it is open.
 *
 * @module
 */

import type { DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";

/** What a WebSocket's client sends: a message, or its close. */
export type WebSocketInput =
  | { readonly type: "message"; readonly data: string | Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** An open WebSocket. */
export interface WebSocketSession {
  /** Takes the next message, if it has arrived. */
  take?(): WebSocketInput | undefined;
  /** Waits for the next message; a close, or a loss (1006), is the last. */
  receive(): Promise<WebSocketInput>;
  /** Lets go of messages, because nobody will receive any more. */
  release?(): void;
  /** How many bytes wait to be written; if it is not known, each send is awaited. */
  readonly waiting?: number;
  /** Sends a message; resolves when it was accepted for writing. */
  send(data: string | Uint8Array): Promise<void>;
  /** Sends a close; resolves when it was accepted for writing. */
  close(code: number, reason: string): Promise<void>;
  /** Resolves when the WebSocket has ended. */
  readonly closed: Promise<unknown>;
}

/** A request for a WebSocket that was not answered yet. */
export interface WebSocketWire {
  /** Is called when the client disconnects before the WebSocket is open. */
  disconnectListener: DisconnectListener | undefined;
  /** Completes the handshake. */
  accept(
    subprotocol: string | null,
    headers: readonly Field[],
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

/** Counts the messages of WebSockets. */
export interface MessageMeter {
  /** Messages that applications have received. */
  messagesReceived: number;
  /** Messages that applications have sent. */
  messagesSent: number;
}

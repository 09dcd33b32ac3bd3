/**
 * What carries a WebSocket between a test and the cycle of the server: messages
 * without frames. It ends as a connection does:
 *
 * - the application closes: the client answers at once;
 * - the client closes: the application may still answer what came before, until
 *   it has received the disconnect, or has had a second to do so;
 * - the client is lost.
 *
 * @module
 */

import type { DisconnectListener } from "../http/exchange.ts";
import type {
  WebSocketAcceptance,
  WebSocketEnds,
  WebSocketInput,
  WebSocketSession,
  WebSocketWire,
} from "../asgi/websocket_wire.ts";
import type { Field } from "../http/fields.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import { handled } from "../streams/handled.ts";
import type { DemandListener, MessageSink } from "../streams/message_pipe.ts";
import type { CallErrors } from "./_app_errors.ts";
import { BoundedQueue } from "./_bounded_queue.ts";
import { disconnected, ResponseSink } from "./_response_sink.ts";
import { nextTurn } from "./_timing.ts";

/** How a WebSocket has ended. */
export interface WebSocketClose {
  /** The code of the side that has closed; 1005 for none, 1006 for a loss. */
  readonly code: number;
  /** The reason that was given with it. */
  readonly reason: string;
}

type Message = string | Uint8Array;

const CLOSE_DELAY_MS = 1_000;
const LOST: WebSocketClose = { code: 1006, reason: "" };

/** The wire of one WebSocket, and the session on it. */
export class TestWebSocketWire
  implements WebSocketWire, WebSocketSession, DemandListener<WebSocketInput> {
  /** The answer to the handshake; `undefined` if it was denied. */
  readonly accepted: Promise<WebSocketAcceptance | undefined>;
  /** The response that denies it. */
  readonly denial: ResponseSink;
  /** How it has ended, once it has. */
  readonly closed: Promise<WebSocketClose>;
  /** Is called when the client disconnects before the WebSocket is open. */
  disconnectListener: DisconnectListener | undefined;

  readonly #errors: CallErrors;
  /** What the application receives, once it has accepted. */
  #messages: MessageSink<WebSocketInput> | undefined;
  readonly #outbox = new BoundedQueue<Message>();
  readonly #accepted = Promise.withResolvers<WebSocketAcceptance | undefined>();
  readonly #closed = Promise.withResolvers<WebSocketClose>();
  /** How the client has closed. */
  #closing: WebSocketClose | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #end: WebSocketClose | undefined;

  /** The handshake is about to be made. */
  constructor(errors: CallErrors) {
    this.#errors = errors;
    this.accepted = this.#accepted.promise;
    this.closed = this.#closed.promise;
    this.denial = new ResponseSink(errors, false, () => this.leave());
  }

  /** How it has ended, or is about to. */
  get end(): WebSocketClose | undefined {
    return this.#end ?? this.#closing;
  }

  // The server's side: the handshake.

  /** Opens it. */
  async accept(
    acceptance: WebSocketAcceptance,
    { messages }: WebSocketEnds,
  ): Promise<WebSocketSession> {
    this.#messages = messages;
    messages.listener = this;
    this.#accepted.resolve(acceptance);
    return await Promise.resolve(this);
  }

  /** Begins the response that denies it. */
  head(status: number, headers: readonly Field[]): void {
    this.denial.begin(status, headers);
    this.#accepted.resolve(undefined);
  }

  /** Goes on with that response. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.denial.data(chunk, last);
  }

  /** Denies it with the application's error, or an error page. */
  async refuse(status: number): Promise<void> {
    if (this.denial.begun) return this.abort();
    const failed = status === 500 ? await this.#errors.settled() : undefined;
    if (failed === undefined) this.denial.page(status);
    else this.denial.fail(failed.error);
    this.#accepted.resolve(undefined);
  }

  /** Cuts the connection. */
  abort(): void {
    handled(this.denial.cut()); // It fails nothing but the denial.
    this.#accepted.resolve(undefined);
  }

  // The server's side: the session.

  /** The application asks for the next message. */
  onAsked(): void {}

  /** The application has received a message, or the close, which is answered. */
  onTaken({ type }: WebSocketInput): void {
    if (type === "close" && this.#end === undefined) this.#answerSoon();
  }

  /** The application receives no more. */
  onCancelled(): void {}

  /** Sends the client a message. */
  async send(data: Message): Promise<void> {
    if (this.#end !== undefined) {
      throw new Error("Cannot send: the WebSocket has ended");
    }
    // A client that has closed drops what comes, and does not do so for ever.
    if (this.#closing !== undefined) return await nextTurn();
    await this.#outbox.put(copy(data));
  }

  /** Closes from the server's side. */
  async close(code: number, reason: string): Promise<void> {
    await Promise.resolve(this.#finish({ code, reason }));
  }

  /** What the application has sent before may be on its way still. */
  #answerSoon(): void {
    setTimeout(() => this.#finish(this.#closing ?? LOST), 0);
  }

  // The client's side.

  /** Takes the next message; `undefined` after the last. */
  next(): Promise<Message | undefined> {
    return this.#outbox.take();
  }

  /** Sends a message; resolves when there is room for more. */
  async put(data: Message): Promise<void> {
    if (this.end !== undefined) {
      throw new Error("Cannot send: the WebSocket is closed");
    }
    const messages = this.#messages!; // It was accepted.
    messages.write({ type: "message", data: copy(data) });
    const { room } = messages;
    if (room === undefined) return;
    await Promise.race([room, this.closed]);
    if (this.#end !== undefined) {
      throw new Error("Cannot send: the WebSocket has ended");
    }
  }

  /** Closes from the client's side; only the first close counts. */
  shut(close: WebSocketClose): void {
    if (this.end !== undefined) return;
    this.#closing = close;
    this.#closeMessages(close);
    this.#outbox.clear();
    this.#closeTimer = setTimeout(() => this.#finish(close), CLOSE_DELAY_MS);
  }

  /** The client is lost; `reason` is what the test sees of that before accept. */
  leave(reason: unknown = disconnected()): void {
    this.denial.fail(reason);
    this.#finish(LOST);
    this.disconnectListener?.disconnected("lost");
  }

  #closeMessages(close: WebSocketClose): void {
    this.#messages?.write({ type: "close", ...close });
    this.#messages?.close();
    this.#messages = undefined;
  }

  #finish(end: WebSocketClose): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#closeTimer);
    const error = new Error("Cannot send: the WebSocket has ended");
    this.#closeMessages(end);
    this.#outbox.refuse(error);
    this.#closed.resolve(end);
  }
}

function copy(data: Message): Message {
  return typeof data === "string" ? data : copyBytes(data);
}

/**
 * Carries a WebSocket over the platform's own, as `Deno.upgradeWebSocket` gives
 * it. Pings, deadlines and compression are the platform's.
 *
 * The platform hands messages over as they come, so they can't be held up at
 * the client: those that the application has not received are kept, up to a
 * limit.
 *
 * @module
 */

import {
  ExchangeWire,
  type WebSocketAcceptance,
  type WebSocketEnds,
  type WebSocketInput,
  type WebSocketSession,
} from "../asgi/websocket_wire.ts";
import type { MessageSink } from "../streams/message_pipe.ts";
import type { FetchExchange } from "./_fetch_exchange.ts";

/** A request that has become a WebSocket. */
export interface UpgradedRequest {
  /** The WebSocket, which opens when the response is sent. */
  socket: WebSocket;
  /** The response to send. */
  response: Response;
}

/** Opens the WebSocket that a request asks for; `Deno.upgradeWebSocket` does. */
export type UpgradeWebSocket = (
  request: Request,
  options?: { protocol?: string },
) => UpgradedRequest;

/** What is kept of messages that the application has not received. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** What the platform may hold of messages that are sent. */
const AHEAD_BYTES = 64 * 1024;
/** No event reports that a message has left; so the socket is asked. */
const POLL_MS = 10;
// Close codes (RFC 6455, section 7.4, and IANA's registry).
const ABNORMAL_CLOSURE = 1006;
const TRY_AGAIN_LATER = 1013;

/** A WebSocket before it is open. */
export class UpgradingRequest extends ExchangeWire<FetchExchange> {
  readonly #upgrade: UpgradeWebSocket;

  constructor(exchange: FetchExchange, upgrade: UpgradeWebSocket) {
    super(exchange);
    this.#upgrade = upgrade;
  }

  /** Hands the response over, and waits until the WebSocket is open. */
  async accept(
    { subprotocol }: WebSocketAcceptance,
    { messages }: WebSocketEnds,
  ): Promise<WebSocketSession> {
    const { socket, response } = await this.#upgraded(subprotocol);
    const session = new PlatformWebSocket(socket, messages);
    this.exchange.handOver(response);
    await session.opened;
    return session;
  }

  async #upgraded(subprotocol: string | null): Promise<UpgradedRequest> {
    const options = subprotocol === null ? {} : { protocol: subprotocol };
    try {
      return this.#upgrade(this.exchange.request, options);
    } catch (error) {
      // The platform checks the rest of the handshake.
      await this.exchange.refuse(400);
      throw error;
    }
  }
}

/** An open WebSocket of the platform. */
class PlatformWebSocket implements WebSocketSession {
  /** Resolves when it is open; rejects if it never will be. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;

  readonly #socket: WebSocket;
  readonly #messages: MessageSink<WebSocketInput>;

  constructor(socket: WebSocket, messages: MessageSink<WebSocketInput>) {
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    this.#socket = socket;
    this.#messages = messages;
    this.opened = opened.promise;
    this.closed = closed.promise;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => opened.resolve();
    socket.onmessage = ({ data }) => this.#keep(data);
    socket.onclose = ({ code, reason }) => {
      opened.reject(
        new Error("Cannot open WebSocket: the client has disconnected"),
      );
      // Platforms say 0 where the client was lost, too.
      messages.write({ type: "close", code: code || ABNORMAL_CLOSURE, reason });
      messages.close();
      closed.resolve();
    };
    // What has gone wrong comes with the close that follows.
    socket.onerror = (event) => event.preventDefault();
  }

  /** Whether nothing can be sent any more. */
  get ended(): boolean {
    return !this.#isOpen;
  }

  /** Sends a message; resolves when the platform holds few of them. */
  async send(data: string | Uint8Array): Promise<void> {
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
    while (this.#isOpen && this.#socket.bufferedAmount > AHEAD_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Closes; without a code if the platform can't send it. */
  close(code: number, reason: string): Promise<void> {
    this.#closeSocket(code, reason);
    return Promise.resolve();
  }

  #closeSocket(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // Some platforms keep the codes below 3000 to themselves, but for 1000.
      this.#socket.close();
    }
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #keep(content: string | ArrayBuffer): void {
    const data = typeof content === "string"
      ? content
      : new Uint8Array(content);
    this.#messages.write({ type: "message", data });
    if (this.#messages.heldSize > MAX_KEPT_BYTES && this.#isOpen) {
      this.#closeSocket(TRY_AGAIN_LATER, "Too many messages wait");
    }
  }
}

/**
 * Carries a WebSocket over an HTTP/1.1 exchange: until it is accepted, the
 * exchange can be answered as any other; then the connection is upgraded, and
 * nothing of HTTP is held any more.
 *
 * @module
 */

import type { DisconnectListener } from "../http/exchange.ts";
import type {
  WebSocketInput,
  WebSocketSession,
  WebSocketWire,
} from "../asgi/websocket_cycle.ts";
import type { Field } from "../http/fields.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import type { ByteStream } from "../streams/byte_stream.ts";
import type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
import type { BufferBudget } from "../websocket/buffer_budget.ts";
import { ABNORMAL_CLOSURE } from "../websocket/close_codes.ts";
import {
  type Close,
  WebSocketConnection,
  type WebSocketConnectionOptions,
} from "../websocket/connection.ts";
import { negotiateDeflate } from "../websocket/deflate_offer.ts";
import { acceptHeaders, type Handshake } from "../websocket/handshake.ts";
import {
  DEFAULT_COMPRESSION_OPTIONS,
  type WebSocketOptions,
} from "../websocket/options.ts";
import type { WebSocketTransport } from "../websocket/transport.ts";

/** What all WebSockets of a server share. */
export interface UpgradeOptions extends WebSocketOptions {
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean;
  /** How long the client may take to close after the last Close. */
  readonly lingerTimeout: number;
  /** Counts messages. */
  readonly meter: MessageMeter | undefined;
  /** What their messages count in. */
  readonly budget: BufferBudget;
}

/** Counts the messages of WebSockets. */
export interface MessageMeter {
  /** Messages that the application has taken. */
  messagesReceived: number;
  /** Messages that the application has sent. */
  messagesSent: number;
}

/** A WebSocket that came as an HTTP/1.1 request. */
export class UpgradingWebSocket implements WebSocketWire {
  readonly #exchange: Exchange;
  readonly #handshake: Handshake;
  readonly #options: UpgradeOptions;
  #upgraded: UpgradedWebSocket | undefined;

  /** Nothing is answered yet. */
  constructor(
    exchange: Exchange,
    handshake: Handshake,
    options: UpgradeOptions,
  ) {
    this.#exchange = exchange;
    this.#handshake = handshake;
    this.#options = options;
  }

  /** The WebSocket, once it is open. */
  get upgraded(): UpgradedWebSocket | undefined {
    return this.#upgraded;
  }

  /** Called when the client disconnects before the WebSocket is open. */
  set disconnectListener(disconnectListener: DisconnectListener | undefined) {
    this.#exchange.disconnectListener = disconnectListener;
  }

  /** Answers 101, and hands the connection over to WebSocket. */
  async accept(
    subprotocol: string | null,
    headers: readonly Field[],
  ): Promise<WebSocketSession> {
    const { compression, lingerTimeout, meter, ...options } = this.#options;
    const deflate = compression
      ? negotiateDeflate(
        this.#handshake.extensions,
        DEFAULT_COMPRESSION_OPTIONS,
      )
      : undefined;
    const fields = acceptHeaders(this.#handshake, {
      subprotocol,
      extensions: deflate?.response,
    });
    const stream = await this.#exchange.upgrade([...fields, ...headers]);
    return this.#upgraded = new UpgradedWebSocket(
      { stream, lingerTimeout, meter },
      { ...options, deflate },
    );
  }

  /** Begins a response that denies the WebSocket. */
  head(status: number, headers: readonly Field[]): void {
    this.#exchange.head(status, headers);
  }

  /** Sends content of that response. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.#exchange.data(chunk, last);
  }

  /** Denies the WebSocket with an error page, or aborts. */
  refuse(status: number): Promise<void> {
    return this.#exchange.refuse(status);
  }

  /** Cuts the connection. */
  abort(): void {
    this.#exchange.abort();
  }
}

/** What carries an open WebSocket. */
interface Carrier {
  readonly stream: ByteStream;
  readonly lingerTimeout: number;
  readonly meter: MessageMeter | undefined;
}

/** An open WebSocket on a connection that was upgraded. */
export class UpgradedWebSocket implements WebSocketSession, WebSocketTransport {
  /** Resolves when the WebSocket has ended. */
  readonly closed: Promise<unknown>;
  /** Resolves when the connection below it is closed as well. */
  readonly gone: Promise<void>;

  readonly #carrier: Carrier;
  readonly #connection: WebSocketConnection;
  #lost = false;

  /** Begins to read. */
  constructor(carrier: Carrier, options: WebSocketConnectionOptions) {
    this.#carrier = carrier;
    this.#connection = new WebSocketConnection(this, options);
    this.closed = this.#connection.closed;
    this.gone = this.#connection.closed.then((end) => this.#closeBehind(end));
  }

  /** What the client sends. */
  get reader(): ByteReader {
    return this.#carrier.stream.reader;
  }

  /** Bounds the waits for a sign of life, and for the end. */
  get deadline(): Deadline {
    return this.#carrier.stream.deadline;
  }

  /** Makes another deadline. */
  createDeadline(): DisposableDeadline {
    return this.#carrier.stream.createDeadline();
  }

  /** The status of the handshake. */
  get status(): number {
    return 101;
  }

  /** How many bytes were sent after the handshake. */
  get bytesSent(): number {
    return this.#carrier.stream.bytesSent;
  }

  /** Whether the client was lost. */
  get aborted(): boolean {
    return this.#lost;
  }

  /** Waits for the next message. */
  receive(): Promise<WebSocketInput> {
    const { meter } = this.#carrier;
    const received = this.#connection.receive();
    return meter === undefined ? received : counted(received, meter);
  }

  /** How many bytes wait to be sent. */
  get waiting(): number {
    return this.#connection.waiting;
  }

  /** Takes the next message, if it has arrived. */
  receiveNow(): WebSocketInput | undefined {
    const message = this.#connection.take();
    const { meter } = this.#carrier;
    if (meter !== undefined && message !== undefined) meter.messagesReceived++;
    return message;
  }

  /** Sends a message. */
  send(data: string | Uint8Array): Promise<void> {
    const { meter } = this.#carrier;
    if (meter !== undefined) meter.messagesSent++;
    return this.#connection.send(data);
  }

  /** Sends a close. */
  close(code: number, reason: string): Promise<void> {
    return this.#connection.close(code, reason);
  }

  /** Sends bytes, for the connection. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#carrier.stream.write(bytes);
  }

  /** Cuts the connection. */
  abort(): void {
    this.#carrier.stream.abort();
  }

  /** Lets go of messages: the application will receive no more. */
  release(): void {
    this.#connection.release();
  }

  async #closeBehind({ code }: Close): Promise<void> {
    const { stream, lingerTimeout } = this.#carrier;
    this.#lost = code === ABNORMAL_CLOSURE;
    if (this.#lost) stream.abort();
    else await stream.close(lingerTimeout);
  }
}

async function counted(
  received: Promise<WebSocketInput>,
  meter: MessageMeter,
): Promise<WebSocketInput> {
  const input = await received;
  if (input.type === "message") meter.messagesReceived++;
  return input;
}

/**
 * A WebSocket that an exchange asks for: until it is accepted, the exchange can
 * be answered as any other; then it gives its bytes to a
 * {@linkcode WebSocketConnection}, and nothing of HTTP is held any more.
 *
 * @module
 */

import {
  ExchangeWire,
  type WebSocketAcceptance,
  type WebSocketEnds,
  type WebSocketSession,
} from "../asgi/websocket_wire.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ByteStream } from "../streams/byte_stream.ts";
import type { BufferBudget } from "../websocket/buffer_budget.ts";
import { ABNORMAL_CLOSURE } from "../websocket/close_codes.ts";
import { WebSocketConnection } from "../websocket/connection.ts";
import { negotiateDeflate } from "../websocket/deflate_offer.ts";
import {
  DEFAULT_COMPRESSION_OPTIONS,
  type WebSocketOptions,
} from "../websocket/options.ts";
import type { Outcome } from "./access_records.ts";
import type { WebSocketRequest } from "./websocket_handshake.ts";

/** What all WebSockets of a server share. */
export interface UpgradeOptions extends WebSocketOptions {
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean;
  /** What their messages count in. */
  readonly budget: BufferBudget;
}

/** A WebSocket that is open, and what became of it. */
export interface OpenWebSocket {
  /** Resolves when all below it is closed as well; never rejects. */
  readonly outcome: Promise<Outcome>;
}

/** A request for a WebSocket, which its application answers. */
export class UpgradingWebSocket extends ExchangeWire<Exchange> {
  readonly #request: WebSocketRequest;
  readonly #options: UpgradeOptions;
  #opened: OpenWebSocket | undefined;

  /** Nothing is answered yet. */
  constructor(
    exchange: Exchange,
    request: WebSocketRequest,
    options: UpgradeOptions,
  ) {
    super(exchange);
    this.#request = request;
    this.#options = options;
  }

  /** The WebSocket, once it is open. */
  get opened(): OpenWebSocket | undefined {
    return this.#opened;
  }

  /** Leaves HTTP for WebSocket. */
  async accept(
    { subprotocol, headers }: WebSocketAcceptance,
    ends: WebSocketEnds,
  ): Promise<WebSocketSession> {
    const { compression, ...options } = this.#options;
    const { extensions } = this.#request;
    const deflate = compression
      ? negotiateDeflate(extensions, DEFAULT_COMPRESSION_OPTIONS)
      : undefined;
    const fields = this.#request.acceptHeaders({
      subprotocol,
      extensions: deflate?.response,
    });
    const stream = await this.exchange.upgrade([...fields, ...headers]);
    const connection = new WebSocketConnection(stream, {
      ...options,
      ...ends,
      deflate,
    });
    this.#opened = openWebSocket(connection, stream, this.exchange.status);
    return connection;
  }
}

function openWebSocket(
  connection: WebSocketConnection,
  stream: ByteStream,
  status: number | null,
): OpenWebSocket {
  const outcome = connection.streamClosed.then(({ code }) => ({
    status,
    bytesSent: stream.bytesSent,
    aborted: code === ABNORMAL_CLOSURE,
  }));
  return { outcome };
}

/**
 * Carries a WebSocket over an HTTP/1.1 exchange: until it is accepted, the
 * exchange can be answered as any other; then the connection is upgraded.
 *
 * @module
 */

import type {
  WebSocketSession,
  WebSocketWire,
} from "./asgi/websocket_cycle.ts";
import type { Field } from "./fields.ts";
import type { Http1Exchange } from "./http1/exchange.ts";
import {
  WebSocketConnection,
  type WebSocketConnectionOptions,
} from "./websocket/connection.ts";
import { negotiateDeflate } from "./websocket/deflate_offer.ts";
import { acceptHeaders, type Handshake } from "./websocket/handshake.ts";
import {
  DEFAULT_COMPRESSION_OPTIONS,
  type WebSocketOptions,
} from "./websocket/options.ts";
import type { Deadline } from "./websocket/transport.ts";

/** What all WebSockets of a server share. */
export interface UpgradeOptions extends WebSocketOptions {
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean;
}

/** A deadline that is given back when it is not needed any more. */
type DisposableDeadline = Deadline & Disposable;

/** A WebSocket that came as an HTTP/1.1 request. */
export class UpgradingWebSocket implements WebSocketWire {
  readonly #exchange: Http1Exchange;
  readonly #handshake: Handshake;
  readonly #options: UpgradeOptions;
  readonly #createDeadline: () => DisposableDeadline;

  /** `createDeadline` is called if the WebSocket is opened. */
  constructor(
    exchange: Http1Exchange,
    handshake: Handshake,
    options: UpgradeOptions,
    createDeadline: () => DisposableDeadline,
  ) {
    this.#exchange = exchange;
    this.#handshake = handshake;
    this.#options = options;
    this.#createDeadline = createDeadline;
  }

  /** Called when the client leaves before the WebSocket is open. */
  set onDeparture(call: ((how: "half-closed" | "lost") => void) | undefined) {
    this.#exchange.onDeparture = call;
  }

  /** Called when the server wants the WebSocket to come to its end. */
  set onShutdown(call: (() => void) | undefined) {
    this.#exchange.onShutdown = call;
  }

  /** Answers 101, and hands the connection over to WebSocket. */
  async accept(
    subprotocol: string | null,
    headers: readonly Field[],
  ): Promise<WebSocketSession> {
    const { compression, ...options } = this.#options;
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
    return this.#connect(stream, { ...options, deflate });
  }

  #connect(
    stream: Awaited<ReturnType<Http1Exchange["upgrade"]>>,
    options: WebSocketConnectionOptions,
  ): WebSocketSession {
    const { reader, readDeadline, write, abort } = stream;
    const idleDeadline = options.idleTimeout === Infinity
      ? undefined
      : this.#createDeadline();
    const transport = {
      reader,
      deadline: readDeadline,
      idleDeadline,
      write,
      abort,
    };
    const connection = new WebSocketConnection(transport, options);
    if (idleDeadline !== undefined) {
      connection.closed.then(() => idleDeadline[Symbol.dispose]());
    }
    return connection;
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

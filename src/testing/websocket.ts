/**
 * A WebSocket to an application, from the client's side.
 *
 * @module
 */

import type { CallErrors } from "./_app_errors.ts";
import type { WebSocketAcceptance } from "../asgi/websocket_wire.ts";
import type { TestWebSocketWire, WebSocketClose } from "./_websocket_wire.ts";

/** Thrown when an application does not accept a WebSocket. */
export class WebSocketDeniedError extends Error {
  /** The name of the class. */
  override readonly name = "WebSocketDeniedError";
  /** What it has answered instead. */
  readonly response: Response;

  /** Creates the error from the response. */
  constructor(response: Response) {
    super(`Cannot open WebSocket: denied with status ${response.status}`);
    this.response = response;
  }
}

/** Thrown by `receive` when a WebSocket is closed. */
export class WebSocketClosedError extends Error {
  /** The name of the class. */
  override readonly name = "WebSocketClosedError";
  /** The close code; 1005 for none, 1006 for a loss. */
  readonly code: number;
  /** The reason that was given with it. */
  readonly reason: string;

  /** Creates the error from how the WebSocket has ended. */
  constructor({ code, reason }: WebSocketClose) {
    super(`Cannot receive: the WebSocket is closed with ${code} "${reason}"`);
    this.code = code;
    this.reason = reason;
  }
}

/** An open WebSocket; iterating over it gives its messages up to the close. */
export interface TestWebSocket
  extends AsyncIterable<string | Uint8Array>, AsyncDisposable {
  /** The subprotocol that the application has chosen; `null` for none. */
  readonly subprotocol: string | null;
  /** The fields that the application has added to its accept. */
  readonly headers: Headers;
  /**
   * How it has ended, once it has: with the application's code, or the
   * client's; 1005 for none, 1006 for a loss.
   */
  readonly closed: Promise<WebSocketClose>;
  /**
   * Sends a message, a string as text. It resolves when there is room for more:
   * 64 KiB are taken ahead of what the application receives.
   *
   * @throws {Error} If the WebSocket is closed.
   */
  send(data: string | Uint8Array): Promise<void>;
  /**
   * Waits for the next message.
   *
   * @throws {WebSocketClosedError} If there will be none. If the application
   * has failed, what it has thrown, unless `raiseAppErrors` is off.
   */
  receive(): Promise<string | Uint8Array>;
  /**
   * Closes, without a code if none is given. Messages that were not received
   * are dropped. The application can go on until it has received the
   * disconnect, or for a second.
   *
   * @returns How the WebSocket has ended.
   * @throws {RangeError} If no client can send such a code.
   */
  close(code?: number, reason?: string): Promise<WebSocketClose>;
  /** The client is gone, without a close: the application gets 1006. */
  disconnect(): void;
}

/** The client's side of a wire. */
export class ClientWebSocket implements TestWebSocket {
  /** The subprotocol. */
  readonly subprotocol: string | null;
  /** The fields of the accept. */
  readonly headers: Headers;
  readonly #wire: TestWebSocketWire;
  readonly #errors: CallErrors;

  /** The WebSocket was accepted. */
  constructor(
    wire: TestWebSocketWire,
    { subprotocol, headers }: WebSocketAcceptance,
    errors: CallErrors,
  ) {
    this.#wire = wire;
    this.#errors = errors;
    this.subprotocol = subprotocol;
    this.headers = new Headers(headers as [string, string][]);
  }

  /** How it has ended. */
  get closed(): Promise<WebSocketClose> {
    return this.#wire.closed;
  }

  /** Sends a message. */
  send(data: string | Uint8Array): Promise<void> {
    return this.#wire.put(data);
  }

  /** Waits for the next message. */
  async receive(): Promise<string | Uint8Array> {
    const data = await this.#wire.next();
    if (data !== undefined) return data;
    return await this.#errors.raise(this.#throwEnd());
  }

  /** Closes. */
  close(code?: number, reason = ""): Promise<WebSocketClose> {
    if (code !== undefined && !isSendable(code)) {
      throw new RangeError(`Cannot close WebSocket: no client sends ${code}`);
    }
    this.#wire.shut({ code: code ?? NO_STATUS, reason });
    return this.#wire.closed;
  }

  /** The client is gone. */
  disconnect(): void {
    this.#wire.leave();
  }

  /** Gives the messages up to the close. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array> {
    try {
      for (;;) yield await this.receive();
    } catch (error) {
      if (!(error instanceof WebSocketClosedError)) throw error;
    }
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #throwEnd(): Promise<never> {
    const end = await this.#wire.closed;
    const failed = end.code === INTERNAL_ERROR
      ? this.#errors.current
      : undefined;
    throw failed === undefined ? new WebSocketClosedError(end) : failed.error;
  }
}

const NO_STATUS = 1005;
const INTERNAL_ERROR = 1011;

/** RFC 6455, section 7.4, and IANA's registry. */
function isSendable(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}

/**
 * One request and the means to answer it: what every version of HTTP gives to
 * the layers above, and all that these know of it.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";
import type { Field } from "./fields.ts";
import type { RequestTarget } from "./request_target.ts";

/** The head of a request. */
export interface RequestInfo {
  /** The version of HTTP. */
  readonly version: "1.0" | "1.1" | "2" | "3";
  /** The method, in uppercase. */
  readonly method: string;
  /** The path as it came; the query without its "?". */
  readonly target: RequestTarget;
  /** All fields in the order in which they came, repeated ones too. */
  readonly headers: readonly Field[];
  /**
   * What the request asks to go on with instead of HTTP, as it came: the fields
   * Upgrade of HTTP/1.1, or `:protocol` of an extended CONNECT (RFC 8441).
   */
  readonly protocol: string | undefined;
}

/**
 * How a client disconnects: it says that it sends no more, and can still be sent
 * to, or it cannot be reached.
 */
export type Disconnect = "half-closed" | "lost";

/**
 * Is called when a client disconnects: an object, not a function, because a
 * closure for each request would keep more alive than itself.
 */
export interface DisconnectListener {
  /** Called once, or twice if the client is lost after a half close. */
  disconnected(how: Disconnect): void;
}

/** What the application's side of an exchange drives: content, and the answer. */
export interface Answerable {
  /** How the client has disconnected, if it has. */
  readonly disconnect: Disconnect | undefined;
  /** Is called when the client disconnects before the response is complete. */
  disconnectListener: DisconnectListener | undefined;
  /** Whether early hints (103) can be sent. */
  readonly earlyHints: boolean;
  /** Whether all of the request's content was read. */
  readonly bodyComplete: boolean;
  /**
   * Takes content of the request that has arrived; `undefined` if more bytes are
   * needed, or at its end.
   *
   * @throws As {@linkcode Answerable.readBody}.
   */
  takeBody(): Uint8Array | undefined;
  /**
   * Reads content of the request, as soon as there is some; `null` at its end.
   *
   * @throws {HttpError} With the status to answer with, if the content is
   * malformed, too large, too slow, or ends too soon.
   * @throws Whatever the client was lost by.
   */
  readBody(): Promise<Uint8Array | null>;
  /** Sends an interim response (1xx), where the client understands it. */
  sendInformational(status: number, headers: readonly Field[]): Promise<void>;
  /** Begins the response; it leaves with the first data. */
  head(status: number, headers: readonly Field[]): void;
  /**
   * Sends content, and ends the response if it is the last. What can't be sent at
   * once is copied before this returns, unless the bytes are `stable`: those do
   * not change until the promise resolves.
   *
   * @returns When there is room for more; `undefined` if there is.
   */
  data(
    chunk: Uint8Array,
    last: boolean,
    stable?: boolean,
  ): Promise<void> | undefined;
  /** Ends the response with trailers, after data that was not the last. */
  trailers(fields: readonly Field[]): Promise<void> | undefined;
  /** Answers with an error page, or aborts if the response has begun. */
  refuse(status: number, headers?: readonly Field[]): Promise<void>;
  /** Cuts this exchange, and no other that the connection may carry. */
  abort(): void;
  /**
   * An application works on the exchange, and may do so after it is over. A wire
   * that lets a client have only so many requests under way counts it until
   * {@linkcode Answerable.callReturned}.
   */
  callBegan?(): void;
  /** The application has returned. */
  callReturned?(): void;
}

/** One request and the means to answer it, and what became of them. */
export interface Exchange extends Answerable {
  /** The head of the request. */
  readonly request: RequestInfo;
  /** The status that was sent; `null` if none was. */
  readonly status: number | null;
  /** The status that the request was refused with, if it was. */
  readonly refusal: number | undefined;
  /** Bytes of content that were sent. */
  readonly bytesSent: number;
  /** Whether the response was cut short, or never begun. */
  readonly aborted: boolean;
  /**
   * Leaves HTTP for the protocol that the request asks for: accepts with
   * `headers`, and hands over the bytes in both directions.
   *
   * @throws {Error} If a response has begun, or content of the request is unread.
   */
  upgrade(headers: readonly Field[]): Promise<ByteStream>;
}

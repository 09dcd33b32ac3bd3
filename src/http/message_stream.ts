/**
 * A stream of HTTP/2 or HTTP/3, as far as a request and its response need it.
 *
 * @module
 */

import type { DisposableDeadline } from "../streams/deadline.ts";
import type { Disconnect, DisconnectListener } from "./exchange.ts";
import type { Field } from "./fields.ts";

/** A stream that a client has begun. */
export interface MessageStream {
  /** How the client has disconnected, if it has. */
  readonly disconnect: Disconnect | undefined;
  /** Is called when the client disconnects. */
  listener: DisconnectListener | undefined;
  /** Whether bytes go on in both directions, each for itself. */
  isTunnel: boolean;
  /** Whether a call of the handler works on it. */
  isHandled: boolean;
  /** The content that comes. */
  readonly body: {
    /** Whether it has ended, and all of it was taken. */
    readonly complete: boolean;
  };
  /**
   * Takes content that has come; `undefined` if there is none.
   *
   * @throws {HttpError} If it is malformed, or too much.
   */
  takeContent(): Uint8Array | undefined;
  /**
   * Waits for content, or its end; for at most `ms` milliseconds.
   *
   * @throws {HttpError} 408 if nothing comes.
   * @throws Whatever the client was lost by.
   */
  arrival(ms: number): Promise<void>;
  /**
   * Throws a RangeError if the client accepts no head of this size, where it has
   * said so.
   */
  checkSize?(fields: readonly Field[]): void;
  /** Sends fields; the last ones end the stream. */
  sendHeaders(fields: readonly Field[], last: boolean): void;
  /**
   * Lets fields leave.
   *
   * @returns When there is room for more; `undefined` if there is.
   */
  sent(): Promise<void> | undefined;
  /**
   * Sends content; what has to wait is copied, unless it is `stable`.
   *
   * @returns When there is room for more; `undefined` if there is.
   */
  sendData(
    bytes: Uint8Array,
    last: boolean,
    stable?: boolean,
  ): Promise<void> | undefined;
  /** Sends trailers after all content, and ends the stream. */
  sendTrailers(fields: readonly Field[]): Promise<void> | undefined;
  /** Ends the stream, so that what was sent is not taken for the whole. */
  reset(code: "INTERNAL_ERROR" | "CANCEL"): void;
  /** The same, and whatever waits on the stream fails with `reason`. */
  cut(code: "CANCEL", reason: Error): void;
  /** Makes a deadline for a wait on this stream. */
  createDeadline(): DisposableDeadline;
}

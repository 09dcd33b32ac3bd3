/**
 * What one connection is made with, and how it ends.
 *
 * @module
 */

import type { MessageSink } from "../streams/message_pipe.ts";
import type { BufferBudget } from "./buffer_budget.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import type { Message } from "./messages.ts";
import type { CompressionOptions, WebSocketOptions } from "./options.ts";

/** How a connection ended. */
export interface Close {
  /** The kind of the event. */
  readonly type: "close";
  /**
   * The code of the side that closed first; 1005 for a Close without one, 1006 if the
   * client was lost, the code of the error if it broke the protocol.
   */
  readonly code: number;
  /** The reason that was given with it. */
  readonly reason: string;
}

/** The settings of one connection; what is not given has its default. */
export interface WebSocketConnectionOptions extends Partial<WebSocketOptions> {
  /** What was agreed on by {@linkcode negotiateDeflate}, if anything. */
  readonly deflate?: DeflateAgreement;
  /** How to compress, where that was agreed on. */
  readonly compression?: Partial<CompressionOptions>;
  /**
   * What messages of more than 64 KiB count in, from when they arrive until
   * the next one is asked for; all connections of a server should share one. A
   * connection that has one must be released at the end, see
   * {@linkcode WebSocketConnection.releaseMessages}. Default: none.
   */
  readonly budget?: BufferBudget;
  /**
   * Where messages and the end go. Default: a stream of the connection's own,
   * which holds `readAheadBytes`, and which {@linkcode WebSocketConnection.receive}
   * reads.
   */
  readonly messages?: MessageSink<Message | Close>;
  /**
   * When all sends have been made that the application has begun, `undefined` if
   * they have: its client's Close is answered after them, but within
   * `closeDelay`. Default: they have.
   */
  readonly sendsMade?: () => Promise<void> | undefined;
}

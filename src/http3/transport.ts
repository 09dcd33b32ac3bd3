/**
 * What HTTP/3 needs of the QUIC connection below it. Packets, encryption, flow
 * control, and the limit of streams are on the other side of it.
 *
 * Two things of RFC 9000 are not here, because Deno's QUIC (as of 2.9) does not
 * offer them, and HTTP/3 has to do without:
 *
 * - **RESET_STREAM can't be sent.** A stream can only be ended as if it were
 *   whole, by {@linkcode QuicSendStream.closeWrite}; or the connection is closed.
 * - **STOP_SENDING of the client is noticed late**: by the next write of at least
 *   one byte, which rejects. No promise says it before.
 *
 * @module
 */

import type { DisposableDeadline } from "../streams/deadline.ts";

/** A stream on which the client sends. */
export interface QuicReceiveStream {
  /** The identifier of the stream (RFC 9000, section 2.1). */
  readonly id: number;
  /**
   * What the client sends, read only when it is pulled (a high-water mark of 0, so
   * that flow control stops the client): closed by its FIN, errored by its
   * RESET_STREAM, or when the connection is lost.
   *
   * `cancel` sends STOP_SENDING; its code can't be chosen, and is 0. A stream that
   * is neither read to its end nor cancelled is never given back to the client,
   * which can then begin one less.
   */
  readonly readable: ReadableStream<Uint8Array>;
}

/** A stream on which the server sends. */
export interface QuicSendStream {
  /** The identifier of the stream. */
  readonly id: number;
  /** Streams with a higher one are sent first; 0 at first. */
  sendOrder: number;
  /**
   * Resolves when flow control has let all bytes through: they are not read any
   * more then. Not called again before that.
   *
   * Rejects when the client has stopped the stream, or the connection is lost; not
   * before a byte is to be sent. A write that waits can't be taken back.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the stream by FIN, after all that was written; rejects as `write`. */
  closeWrite(): Promise<void>;
}

/** A stream in both directions. */
export interface QuicStream extends QuicReceiveStream, QuicSendStream {}

/** How a connection has ended. */
export interface QuicClose {
  /**
   * The code of the application that has closed it; `undefined` if it timed out,
   * was lost, or was closed by an error of QUIC.
   */
  readonly code: number | undefined;
  /** Why; it may hold the words of the client, and must be escaped in logs. */
  readonly reason: string;
}

/** A QUIC connection whose handshake is complete. */
export interface QuicTransport {
  /**
   * The next stream of the client in both directions, which may be empty so far;
   * `undefined` when the connection has ended. Not called again before it has
   * resolved; never rejects.
   */
  acceptStream(): Promise<QuicStream | undefined>;
  /** The next stream of the client in its direction; else as `acceptStream`. */
  acceptUnidirectional(): Promise<QuicReceiveStream | undefined>;
  /**
   * Opens a stream in the server's direction, once the client allows one more;
   * rejects when the connection has ended before. It must be referenced as long as
   * it is open: Deno ends streams that are garbage.
   */
  openUnidirectional(): Promise<QuicSendStream>;
  /**
   * Closes the connection at once, and all its streams: what was written and is
   * not acknowledged is lost. `code` is one of HTTP/3 (RFC 9114, section 8.1).
   */
  close(code: number, reason: string): void;
  /** Resolves when it was closed by either side, or lost; never rejects. */
  readonly closed: Promise<QuicClose>;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
}

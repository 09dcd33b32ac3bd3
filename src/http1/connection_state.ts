/**
 * What an HTTP/1 connection shares with its exchanges: the bytes in both
 * directions, what has become of the client, and whether the end is near.
 *
 * Responses to a burst of pipelined requests are held back for one turn, so that
 * they leave together.
 *
 * @module
 */

import { ByteReader } from "../streams/byte_reader.ts";
import type { Disconnect } from "../http/exchange.ts";
import { HttpError } from "../http/http_error.ts";
import type { ExchangeContext, Http1Exchange } from "./exchange.ts";
import type { Http1Options } from "./options.ts";
import { Output } from "../streams/output.ts";
import { ReadAhead, type ReadAheadWatcher } from "./read_ahead.ts";
import type { Transport } from "../http/transport.ts";
import { UpgradedStream } from "./upgraded_stream.ts";

/** A burst's responses are held back up to this size. */
const MAX_HELD_BYTES = 32 * 1024;

/** The state of one connection, as its exchanges see it. */
export class ConnectionState implements ExchangeContext, ReadAheadWatcher {
  /** What the client sent and nobody took yet. */
  readonly reader: ByteReader;
  /** What is to be sent to it. */
  readonly output: Output;
  /** Limits, deadlines, and defaults. */
  readonly options: Http1Options;
  /** The exchange that is under way. */
  exchange: Http1Exchange | undefined;
  /** How many exchanges there were. */
  requests = 0;
  /** Whether the server wants the connection to end. */
  ending = false;

  readonly #transport: Transport;
  readonly #readAhead: ReadAhead;
  #disconnect: Disconnect | undefined;
  #writeFailure: { readonly error: unknown } | undefined;
  #upgraded = false;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;

  /** Nothing is read yet. */
  constructor(transport: Transport, options: Http1Options) {
    this.reader = new ByteReader(transport.readable);
    this.output = new Output(transport, (error) => this.#writeFailed(error));
    this.options = options;
    this.#transport = transport;
    this.#readAhead = new ReadAhead(this.reader, this);
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#disconnect;
  }

  /** Whether the connection closes after the current exchange. */
  get closing(): boolean {
    return this.ending ||
      this.requests >= this.options.maxRequestsPerConnection;
  }

  /** Whether another protocol has taken over. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** Waits for bytes of a body that the application asked for. */
  async fillBody(exchange: Http1Exchange): Promise<boolean> {
    if (exchange !== this.exchange) return false;
    const { readDeadline } = this.#transport;
    readDeadline.arm(this.options.bodyTimeout, () => this.#bodyExpired());
    try {
      return await this.reader.fill();
    } finally {
      // After the response, the deadline has another use.
      if (exchange === this.exchange) readDeadline.disarm();
    }
  }

  #bodyExpired(): void {
    this.#transport.endRead(new HttpError(408, "Cannot wait for request body"));
  }

  /** Keeps a read pending, so that a client that leaves is noticed. */
  readAhead(): void {
    this.#readAhead.start();
  }

  /** Whether a read ahead has a use. */
  get readsAhead(): boolean {
    return this.exchange !== undefined;
  }

  /**
   * A client that sends so many requests ahead could leave unnoticed, and the
   * application that waits for its disconnect would wait for ever. Content that
   * nobody has read yet is no reason: the application comes to its end.
   */
  onFull(): void {
    if (this.exchange?.bodyComplete !== true) return;
    const { headerTimeout } = this.options;
    this.#transport.readDeadline.arm(headerTimeout, () => this.abort());
  }

  /** The client has said that it sends no more. */
  onHalfClosed(): void {
    this.depart("half-closed");
  }

  /** The client is lost, unless a deadline has passed: its waiter throws that. */
  onReadFailed(error: unknown): void {
    if (!(error instanceof HttpError)) this.depart("lost");
  }

  /** Notes how the client has disconnected. */
  depart(how: Disconnect): void {
    if (this.#disconnect === how) return;
    this.#disconnect = how;
    this.exchange?.disconnectListener?.disconnected(how);
  }

  /** What a write has failed with, which closed the connection, if one has. */
  get writeFailure(): { readonly error: unknown } | undefined {
    return this.#writeFailure;
  }

  /** The one place that hears of a failed write: nothing can be sent any more. */
  #writeFailed(error: unknown): void {
    this.#writeFailure = { error };
    this.abort();
  }

  /**
   * Sends what is collected; holds it back while a burst is being answered.
   *
   * @returns When there is room for more; `undefined` if there is.
   */
  flush(last: boolean): Promise<void> | undefined {
    const held = last && this.reader.buffered > 0 &&
      this.output.length < MAX_HELD_BYTES;
    if (held) {
      this.#flushTimer ??= setTimeout(() => this.#sendHeld(), 0);
      return undefined;
    }
    if (last) this.output.send();
    else this.output.sendSoon();
    return this.output.room();
  }

  #sendHeld(): void {
    this.#flushTimer = undefined;
    this.output.send();
  }

  /** Hands the connection over: from now on the new protocol reads ahead. */
  upgrade(): UpgradedStream {
    this.#upgraded = true;
    this.#readAhead.stop();
    return new UpgradedStream(this.#transport, this.reader);
  }

  /** Closes the connection at once. */
  abort(): void {
    this.ending = true;
    this.output.send();
    this.#transport.close();
    this.depart("lost");
  }

  /** Ends what is held; the connection is closed, unless it was upgraded. */
  end(): void {
    clearTimeout(this.#flushTimer);
    if (this.#upgraded) return;
    // It may have been armed after the connection was closed from below.
    this.#transport.readDeadline.disarm();
    this.#transport.close();
  }
}

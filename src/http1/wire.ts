/**
 * What an HTTP/1 connection shares with its exchanges: the bytes in both
 * directions, and what has become of the client.
 *
 * Responses to a burst of pipelined requests are held back for one turn, so that
 * they leave together.
 *
 * While a request is handled, one read is kept pending (up to 64 KiB are
 * buffered so): it notices that the client disconnects, and it is the first read
 * of the next request. Where none will follow, that read begins a turn later:
 * most responses are complete by then.
 *
 * @module
 */

import type {
  Disconnect,
  DisconnectListener,
  Exchange,
} from "../http/exchange.ts";
import { HttpError } from "../http/http_error.ts";
import type { Transport } from "../http/transport.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import { PutOffTask } from "../streams/next_turn.ts";
import { Output } from "../streams/output.ts";
import type { ConnectionProgress } from "./connection_state.ts";
import type { Http1Options } from "./options.ts";
import { UpgradedStream } from "./upgraded_stream.ts";

/** A burst's responses are held back up to this size. */
const MAX_HELD_BYTES = 32 * 1024;
/** Up to so many bytes are read ahead. */
const MAX_AHEAD_BYTES = 64 * 1024;

/** What a connection needs of the exchange that is under way. */
type CarriedExchange =
  & Pick<Exchange, "bodyComplete" | "refuse">
  & DisconnectListener;

/** The wire of one connection. */
export class Http1Wire {
  /** What the client sent and nobody took yet. */
  readonly reader: ByteReader;
  /** What is to be sent to it. */
  readonly output: Output;
  /** Limits, deadlines, and defaults. */
  readonly options: Http1Options;
  /** The state of the connection. */
  readonly progress: ConnectionProgress;
  /** The exchange that is under way. */
  exchange: CarriedExchange | undefined;

  readonly #transport: Transport;
  #disconnect: Disconnect | undefined;
  #writeFailure: { readonly error: unknown } | undefined;
  #upgraded: UpgradedStream | undefined;
  #readingAhead = false;
  #readsAheadLate = false;
  /** Made when they are needed. */
  #sendLater: PutOffTask | undefined;
  #readLater: PutOffTask | undefined;

  /** Nothing is read yet. */
  constructor(
    transport: Transport,
    reader: ByteReader,
    { options, progress }: Pick<Http1Wire, "options" | "progress">,
  ) {
    this.reader = reader;
    this.output = new Output(transport, (error) => this.#writeFailed(error));
    this.options = options;
    this.progress = progress;
    this.#transport = transport;
  }

  /** How the client has disconnected, if it has. */
  get disconnect(): Disconnect | undefined {
    return this.#disconnect;
  }

  /** What a write has failed with, which closed the connection, if one has. */
  get writeFailure(): { readonly error: unknown } | undefined {
    return this.#writeFailure;
  }

  /** What has taken the connection over, if something has. */
  get upgraded(): UpgradedStream | undefined {
    return this.#upgraded;
  }

  /** Waits for content that the handler of `exchange` asked for. */
  async fillBody(exchange: CarriedExchange): Promise<boolean> {
    // After the response, the deadline has another use.
    if (exchange !== this.exchange) return await this.reader.fill();
    const { readDeadline } = this.#transport;
    readDeadline.arm(this.options.bodyTimeout, () => this.#bodyExpired());
    try {
      return await this.reader.fill();
    } finally {
      if (exchange === this.exchange) readDeadline.disarm();
    }
  }

  #bodyExpired(): void {
    this.#transport.endRead(new HttpError(408, "Cannot wait for request body"));
  }

  /** From now on reads ahead for `exchange`; later if its request is the `last`. */
  begin(exchange: CarriedExchange, last: boolean): void {
    this.exchange = exchange;
    this.#readsAheadLate = last;
    this.readAhead();
  }

  /** Keeps a read pending, within bounds, while there is an exchange. */
  readAhead(): void {
    if (this.#readingAhead || this.exchange === undefined) return;
    if (this.#readsAheadLate) return this.#readAheadLater();
    if (this.reader.buffered >= MAX_AHEAD_BYTES) return this.#aheadFull();
    this.#readingAhead = true;
    this.reader.fill().then(this.#arrived, this.#readFailed);
  }

  #readAheadLater(): void {
    this.#readLater ??= new PutOffTask(() => {
      this.#readsAheadLate = false;
      this.readAhead();
    });
    this.#readLater.putOff();
  }

  readonly #arrived = (more: boolean): void => {
    this.#readingAhead = false;
    if (more) this.readAhead();
    else if (this.#upgraded === undefined) this.#disconnected("half-closed");
  };

  readonly #readFailed = (error: unknown): void => {
    this.#readingAhead = false;
    if (this.#upgraded !== undefined) return;
    // The one who waits throws what a deadline that has passed ended this with.
    if (!(error instanceof HttpError)) this.#disconnected("lost");
  };

  /**
   * A client that sends so many requests ahead could disconnect unnoticed, and
   * an application that waits for that would wait for ever. Content that nobody
   * has read yet is no reason: the application comes to its end.
   */
  #aheadFull(): void {
    if (this.exchange?.bodyComplete !== true) return;
    const { headerTimeout } = this.options;
    this.#transport.readDeadline.arm(headerTimeout, () => this.abort());
  }

  #disconnected(how: Disconnect): void {
    if (this.#disconnect === how || this.#disconnect === "lost") return;
    this.#disconnect = how;
    this.exchange?.disconnected(how);
  }

  /** The one place that gets a failed write: nothing can be sent any more. */
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
      this.#sendLater ??= new PutOffTask(() => this.output.send());
      this.#sendLater.putOff();
      return undefined;
    }
    if (last) this.output.send();
    else this.output.sendSoon();
    return this.output.room();
  }

  /** Hands the connection over: from now on the new protocol reads ahead. */
  upgrade(): UpgradedStream {
    this.progress.advance("upgrade");
    this.exchange = undefined;
    return this.#upgraded = new UpgradedStream(this.#transport, this.reader);
  }

  /** Closes the connection at once. */
  abort(): void {
    this.progress.ending = true;
    this.output.send();
    this.#transport.close();
    this.#disconnected("lost");
  }

  /** Lets go of what is held back. */
  end(): void {
    this.#sendLater?.callOff();
    this.#readLater?.callOff();
  }
}

/**
 * The server's side of a request stream: frames out, at the pace of the client's
 * flow control, and FIN.
 *
 * A response that can't be completed is a problem, as QUIC is offered without
 * RESET_STREAM: anything but an error is taken for a whole response by some client.
 * So it ends with trailers that have `:status`, which makes it malformed (RFC 9114,
 * sections 4.1.2 and 4.3), as all clients that were tried see.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import { handled } from "../streams/handled.ts";
import { Output } from "../streams/output.ts";
import { encodeFrame, frameHead, RESERVED_FRAME } from "./frames.ts";
import { MAX_DATA_BYTES } from "./limits.ts";
import { encodeSection } from "./qpack/encoder.ts";
import type { QuicSendStream } from "./transport.ts";

/** Trailers that no client may accept. */
const POISON: readonly Field[] = [[":status", "500"]];

/** What a writer needs. */
export interface WriterHost {
  /** How long one write may take, in milliseconds. */
  readonly writeTimeout: number;
  /** Makes a deadline. */
  createDeadline(): DisposableDeadline;
  /** Called when a write takes too long. */
  stalled(): void;
  /** Called once, when the client can't be sent anything more. */
  outboundLost(error: Error): void;
  /** Called once, when FIN was sent, or nothing can be. */
  outboundEnded(): void;
}

/** Writes the response of one stream. */
export class ResponseWriter {
  readonly #stream: QuicSendStream;
  readonly #host: WriterHost;
  readonly #output: Output;
  #deadline: DisposableDeadline | undefined;
  /** Large content that is being sent piece by piece. */
  #pieces: Promise<void> | undefined;
  #begun = false;
  #ending = false;
  #over = false;
  /** Whether something was written since it was probed. */
  #wrote = false;

  /** Nothing was sent yet. */
  constructor(stream: QuicSendStream, host: WriterHost) {
    this.#stream = stream;
    this.#host = host;
    this.#output = new Output(
      { write: (bytes) => this.#write(bytes) },
      (error) => this.#lost(error),
    );
  }

  /** Whether the end was sent, or is about to be. */
  get ending(): boolean {
    return this.#ending;
  }

  /** Whether FIN was sent, or nothing can be. */
  get over(): boolean {
    return this.#over;
  }

  /** Collects fields, which leave with what follows. */
  fields(fields: readonly Field[]): void {
    const frame = encodeFrame("HEADERS", encodeSection(fields));
    this.#begun = true;
    this.#after(() => this.#output.bytes(frame));
  }

  /**
   * Sends content; what has to wait is copied, unless it is `stable`.
   *
   * @returns When there is room for more; `undefined` if there is.
   */
  data(bytes: Uint8Array, stable: boolean): Promise<void> | undefined {
    if (bytes.length > MAX_DATA_BYTES || this.#pieces !== undefined) {
      return this.#sendPieces(stable ? bytes : copyBytes(bytes));
    }
    this.#collect(bytes);
    return this.room();
  }

  /** Lets what was collected leave; returns when there is room for more. */
  room(): Promise<void> | undefined {
    if (this.#pieces !== undefined) return this.#pieces;
    this.#output.send();
    return this.#output.room();
  }

  /** Ends the stream after all that was sent. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    handled(this.#finish()); // It does not reject.
  }

  /** Ends the stream so that the response is not taken for whole. */
  poison(): void {
    if (this.#ending) return;
    // Without a head, it is none.
    if (this.#begun) this.fields(POISON);
    this.end();
  }

  /** Writes a frame that means nothing, unless something was written lately. */
  probe(): void {
    const isQuiet = !this.#wrote && this.#output.idle && !this.#ending;
    this.#wrote = false;
    if (!isQuiet) return;
    this.#output.bytes(RESERVED_FRAME);
    this.#output.send();
  }

  #collect(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#output.bytes(frameHead("DATA", bytes.length));
    this.#output.bytes(bytes);
  }

  /** Does something after the pieces that are being sent. */
  #after(act: () => void): void {
    if (this.#pieces === undefined) return act();
    handled(this.#chain(this.#pieces.then(act)));
  }

  #chain(next: Promise<void>): Promise<void> {
    this.#pieces = next;
    const done = (): void => {
      if (this.#pieces === next) this.#pieces = undefined;
    };
    next.then(done, done);
    return handled(next); // The output reports a write that has failed.
  }

  #sendPieces(bytes: Uint8Array): Promise<void> {
    const before = this.#pieces;
    return this.#chain(this.#sendAfter(before, bytes));
  }

  async #sendAfter(
    before: Promise<void> | undefined,
    bytes: Uint8Array,
  ): Promise<void> {
    await before;
    for (let at = 0; at < bytes.length && !this.#over; at += MAX_DATA_BYTES) {
      this.#collect(bytes.subarray(at, at + MAX_DATA_BYTES));
      this.#output.send();
      await this.#output.room();
    }
  }

  async #finish(): Promise<void> {
    try {
      await this.#pieces;
      await this.#output.flush();
      await this.#stream.closeWrite();
      this.#ended();
    } catch (error) {
      this.#lost(error);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#wrote = true;
    const { writeTimeout } = this.#host;
    this.#deadline ??= this.#host.createDeadline();
    this.#deadline.arm(writeTimeout, () => this.#host.stalled());
    try {
      await this.#stream.write(bytes);
    } finally {
      this.#deadline?.disarm();
    }
  }

  #lost(error: unknown): void {
    if (this.#over) return;
    const reason = error instanceof Error ? error : new Error(String(error));
    this.#ending = true;
    this.#ended();
    this.#host.outboundLost(reason);
  }

  #ended(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
    this.#host.outboundEnded();
  }
}

/**
 * Drives the wire with the events that come out of `fromApp`: what each event
 * means for the response that leaves.
 *
 * The head leaves with the first content. Content goes out in pieces, of which
 * the next one waits until the wire has room for it, and all trailers together.
 *
 * @module
 */

import type { Answerable } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import { giveWay, LARGE_STEP } from "../streams/fair_share.ts";
import { ClientDisconnected } from "./errors.ts";
import { readFilePieces } from "./file_pieces.ts";
import type { ResponseBody, ResponseStart } from "./http_events.ts";
import {
  MAX_PIECE_BYTES,
  type Opening,
  type ResponseEvents,
  type Transfer,
} from "./response_events.ts";
import type { FileEvent, OrderedEvent } from "./response_order.ts";
import type { HttpResponseZerocopysendEvent, ReadableFile } from "./types.ts";

/** Opens a file for `http.response.pathsend`. */
export type OpenFile = (path: string) => Promise<ReadableFile & Disposable>;

const EMPTY = new Uint8Array(0);

/** Sends one response. */
export class ResponseDriver {
  readonly #wire: Answerable;
  readonly #events: ResponseEvents;
  readonly #openFile: OpenFile;
  #start: ResponseStart | undefined;
  #begun = false;
  #trailers: Field[] | undefined;
  #complete = false;

  /** Nothing is sent yet; `events` are what is sent. */
  constructor(wire: Answerable, events: ResponseEvents, openFile: OpenFile) {
    this.#wire = wire;
    this.#events = events;
    this.#openFile = openFile;
  }

  /** Whether the last of the response was given to the wire. */
  get complete(): boolean {
    return this.#complete;
  }

  /**
   * Sends an event. Its content is copied before this returns.
   *
   * @returns When there is room for more; `undefined` if there is now.
   * @throws {ClientDisconnected} If the wire fails.
   */
  send(event: OrderedEvent | Opening): Promise<void> | undefined {
    switch (event.type) {
      case "opening":
        this.#start = event.start;
        return this.send(event.content);
      case "http.response.start":
        this.#start = event;
        return undefined;
      case "http.response.early_hint":
        return accepted(this.#wire.sendInformational(103, event.headers));
      case "http.response.body":
        return this.#data(event.body, event.more_body);
      case "http.response.trailers":
        (this.#trailers ??= []).push(...event.headers);
        if (event.more_trailers) return undefined;
        this.#complete = true;
        return accepted(this.#wire.trailers(this.#trailers));
    }
  }

  /**
   * Sends a transfer, and settles it: what is wrong with it, its send rejects
   * with.
   *
   * @throws {ClientDisconnected} If the wire fails.
   */
  async transfer(transfer: Transfer): Promise<void> {
    try {
      const event = this.#events.open(transfer);
      const sent = event && this.#sendWhole(event);
      if (sent !== undefined) await sent;
      this.#events.settle(transfer);
    } catch (error) {
      this.#events.settle(transfer, { error });
      if (error instanceof WireFailure) throw error;
    }
  }

  #sendWhole(event: OrderedEvent | FileEvent): Promise<void> | undefined {
    switch (event.type) {
      case "http.response.pathsend":
        return this.#sendPath(event.path);
      case "http.response.zerocopysend":
        return this.#sendFile(event);
      case "http.response.body":
        if (event.body.length > MAX_PIECE_BYTES) return this.#sendPieces(event);
    }
    return this.send(event);
  }

  async #sendPath(path: string): Promise<void> {
    using file = await this.#openFile(path);
    await this.#sendContent(file, undefined, false);
  }

  async #sendFile(event: HttpResponseZerocopysendEvent): Promise<void> {
    const { file, offset, count, more_body = false } = event;
    if (offset !== undefined) await file.seek(offset, 0);
    await this.#sendContent(file, count, more_body);
  }

  async #sendContent(
    file: ReadableFile,
    count: number | undefined,
    more: boolean,
  ): Promise<void> {
    const { order } = this.#events;
    for await (const piece of readFilePieces(file, count)) {
      this.#events.requireGoingOn();
      order.count(piece.length, true);
      await this.#sendPiece(piece, true);
    }
    this.#events.requireGoingOn();
    order.count(0, more);
    await this.#sendPiece(EMPTY, more);
  }

  async #sendPieces({ body, more_body }: ResponseBody): Promise<void> {
    for (let start = 0; start < body.length; start += MAX_PIECE_BYTES) {
      if (start > 0) this.#events.requireGoingOn();
      const end = start + MAX_PIECE_BYTES;
      const more = more_body || end < body.length;
      await this.#sendPiece(body.subarray(start, end), more);
    }
  }

  async #sendPiece(piece: Uint8Array, more: boolean): Promise<void> {
    const sent = this.#data(piece, more, true);
    if (sent !== undefined) await sent;
    const share = giveWay(LARGE_STEP);
    if (share !== undefined) await share;
  }

  #data(
    bytes: Uint8Array,
    more: boolean,
    stable = false,
  ): Promise<void> | undefined {
    const start = this.#start!;
    if (!this.#begun) this.#wire.head(start.status, start.headers);
    this.#begun = true;
    this.#complete = !more && !start.trailers;
    return accepted(this.#wire.data(bytes, this.#complete, stable));
  }
}

/** What a wire fails with is the client's loss. */
class WireFailure extends ClientDisconnected {}

function accepted(written: Promise<void> | undefined) {
  return written?.catch(lost);
}

function lost(cause: unknown): never {
  throw new WireFailure({ cause });
}

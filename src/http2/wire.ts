/**
 * What the streams of an HTTP/2 connection share: the way out. Frames of all of
 * them are collected in one output, in this order of rank:
 *
 * 1. Frames that carry no content leave in the order in which they are made;
 *    they need no window.
 * 2. Content leaves at once where the windows and the output have room for it,
 *    and no other content waits. All else is for the scheduler to choose from,
 *    as soon as there is room.
 *
 * What is made in one turn of the event loop leaves in one write: the answers to
 * all requests that came together, for instance. When no stream is left that could
 * add to it, it leaves at once.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import type { Transport } from "../http/transport.ts";
import { handled } from "../streams/handled.ts";
import { Output } from "../streams/output.ts";
import { Acknowledgments } from "./acknowledgments.ts";
import { Budgets } from "./budgets.ts";
import { SendWindow } from "./flow_window.ts";
import { FrameWriter } from "./frame_writer.ts";
import { MAX_FRAME_BYTES } from "./frames.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { MAX_BACKLOG_BYTES } from "./limits.ts";
import { Scheduler, type SendingStream } from "./scheduler.ts";

/** With so much collected, content waits until it was written. */
const MAX_COLLECTED_BYTES = 32 * 1024;
/** Content that is sent at once may go beyond that, up to this. */
const MAX_DIRECT_BYTES = 70 * 1024;

/** A stream whose content waits to be sent. */
export interface WaitingStream extends SendingStream {
  /** Sends so many of the bytes that wait, or less: one frame. */
  sendTurn(bytes: number): void;
  /** Ends, if the client has ended without granting a window for what waits. */
  endIfStuck(): void;
}

/** The way out of one connection. */
export class Http2Wire {
  /** What was collected, and is not written. */
  readonly output: Output;
  /** Collects frames; a {@linkcode Http2Wire.flushSoon} is due after them. */
  readonly frames: FrameWriter;
  /** Compresses all header blocks, in the order in which they are sent. */
  readonly encoder: HpackEncoder = new HpackEncoder();
  /** The window that the client grants to all streams together. */
  readonly window: SendWindow = new SendWindow(0);
  /** Chooses among the streams whose content waits. */
  readonly scheduler: Scheduler<WaitingStream> = new Scheduler<WaitingStream>();
  /** What the client may cost. */
  readonly budgets: Budgets = new Budgets();
  /** How many streams there are: each may add to what is collected. */
  streams = 0;
  /** How many bytes of content were sent, on all of them. */
  contentBytes = 0;
  /** Whether frames of the client are being dealt with, which are answered. */
  reading = false;
  /** Whether windows are not yet what the last SETTINGS say. */
  windowsDue = false;
  /** Whether the client has ended: it grants no more windows. */
  clientEnded = false;

  readonly #acknowledgments: Acknowledgments | undefined;
  #flushDue = false;
  #awaitsRoom = false;

  /** `onLost` is called once if a write fails. */
  constructor(
    transport: Pick<Transport, "write" | "delaysWrites">,
    onLost: (error: unknown) => void,
  ) {
    const { delaysWrites = false } = transport;
    this.output = new Output(
      transport,
      onLost,
      delaysWrites ? () => this.#acknowledgments?.beforeWrite() : undefined,
    );
    this.frames = new FrameWriter(this.output);
    this.#acknowledgments = delaysWrites
      ? new Acknowledgments(this)
      : undefined;
  }

  /** Collects a header block. */
  headers(streamId: number, fields: readonly Field[], last: boolean): void {
    // It is copied at once.
    this.frames.headers(streamId, this.encoder.encodeLent(fields), last);
  }

  /** Whether so much content of a stream can be collected now. */
  takes(window: SendWindow, bytes: number): boolean {
    return bytes === 0 ||
      this.scheduler.idle && this.window.sendable(bytes) === bytes &&
        window.sendable(bytes) === bytes &&
        this.output.length + bytes <= MAX_DIRECT_BYTES;
  }

  /** Collects content, which must fit into both windows. */
  data(
    { id, window }: Pick<WaitingStream, "id" | "window">,
    bytes: Uint8Array,
    last: boolean,
  ): void {
    window.consume(bytes.length);
    this.window.consume(bytes.length);
    this.contentBytes += bytes.length;
    this.#acknowledgments?.beforeContent(bytes.length);
    this.frames.data(id, bytes, last);
    this.budgets.contentSent(bytes.length);
  }

  /** Lists a stream whose content waits, or whose window has changed. */
  schedule(stream: WaitingStream): void {
    this.scheduler.update(stream);
    this.sendContent();
  }

  /** Collects content that waits, as far as there is room. */
  sendContent(): void {
    if (this.windowsDue) return; // It is sent after what was read.
    while (!this.scheduler.idle) {
      if (this.output.length >= MAX_COLLECTED_BYTES && this.#waitsForRoom()) {
        return;
      }
      const turn = this.scheduler.next(this.window, MAX_FRAME_BYTES);
      if (turn === undefined) break;
      turn.stream.sendTurn(turn.bytes);
      this.scheduler.update(turn.stream);
      if (this.clientEnded) turn.stream.endIfStuck();
    }
    if (this.clientEnded) this.#endStuck();
    this.flushSoon();
  }

  /** The connection's window will not open again. */
  #endStuck(): void {
    for (const stream of this.scheduler.listed) stream.endIfStuck();
  }

  #waitsForRoom(): boolean {
    if (this.#awaitsRoom) return true;
    const room = this.room();
    if (room === undefined) return false;
    this.#awaitsRoom = true;
    const goOn = (): void => {
      this.#awaitsRoom = false;
      this.sendContent();
    };
    // Of a write that has failed, the connection is notified.
    room.then(goOn, () => {});
    return true;
  }

  /**
   * When there is room for more; `undefined` if there is. Those who do not wait
   * for it learn of a failed write by the loss of the connection.
   */
  room(): Promise<void> | undefined {
    if (this.output.length >= MAX_COLLECTED_BYTES) this.output.send();
    return handled(this.output.room());
  }

  /** When the client has read enough to be read again; `undefined` if it has. */
  backlog(): Promise<void> | undefined {
    return this.output.length < MAX_BACKLOG_BYTES ? undefined : this.room();
  }

  /** Lets what is collected leave, together with what follows in this turn. */
  flushSoon(): void {
    if (this.output.length === 0) return;
    if (this.streams === 0 && !this.reading) return this.output.send();
    if (this.#flushDue) return;
    this.#flushDue = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushDue = false;
    this.output.send();
  };
}

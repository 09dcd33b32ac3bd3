/**
 * The one owner of writes: frames leave in the order in which they came, one
 * write at a time. What comes while one is under way leaves together with the
 * next, in as few writes as is reasonable. While the application has messages
 * left that came together, what it sends is held back for a moment, because more
 * will follow.
 *
 * Pongs go before waiting messages. A client that sends pings and reads nothing
 * makes a bounded number of them wait: past that, only the latest ping is
 * answered (RFC 6455, section 5.5.3).
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { ABNORMAL_CLOSURE } from "./close_codes.ts";
import type { LongFrame } from "./frame_encoder.ts";
import { WebSocketError } from "./websocket_error.ts";

const MAX_WAITING_PONGS = 32;
/** The most that is held back. */
const MAX_HELD_BYTES = 32 * 1024;
/** Frames are joined up to about this size; larger ones leave alone. */
const MAX_JOINED_BYTES = 64 * 1024;

/** A frame as it leaves: at once, or piece by piece. */
export type Frame = Uint8Array | LongFrame;

/** Where frames leave by. */
export interface ByteSink {
  /** Takes bytes; resolves when they were accepted. */
  write(bytes: Uint8Array): Promise<void>;
}

/** What an outbox needs of its connection. */
export interface OutboxContext {
  /** What the application has not received yet: its answers will follow. */
  readonly messages: { readonly isEmpty: boolean };
  /** Called when a write has failed. */
  onLost(): void;
}

/** Frames on their way to the client. */
export class Outbox {
  readonly #sink: ByteSink;
  readonly #context: OutboxContext;
  #frames: Frame[] = [];
  #pongs: Uint8Array[] = [];
  #waiting = 0;
  /** The write that is under way, and the one that everything waiting is for. */
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #error: WebSocketError | undefined;
  /** Ends the wait of what is held back; `#current` is that wait. */
  #release: (() => void) | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `sink` is given one write at a time; when one fails, nothing is sent any
   * more.
   */
  constructor(sink: ByteSink, context: OutboxContext) {
    this.#sink = sink;
    this.#context = context;
  }

  /** How many bytes of frames, pongs apart, were not accepted yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Sends a frame; resolves when it was accepted. If `more` is sent at once, both
   * leave together.
   *
   * @throws {WebSocketError} If it was not.
   */
  send(frame: Frame, more = false): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#waiting += frame.length;
    const moreExpected = more || !this.#context.messages.isEmpty;
    if (this.#current === undefined) {
      if (!moreExpected) {
        return this.#track(this.#write(frame), frame.length);
      }
      this.#holdBack();
    }
    this.#frames.push(frame);
    const written = this.#nextWrite();
    if (!moreExpected || this.#waiting > MAX_HELD_BYTES) this.release();
    return written;
  }

  #holdBack(): void {
    this.#current = new Promise((resolve) => this.#release = resolve);
    this.#releaseTimer = setTimeout(() => this.release(), 0);
  }

  /** Holds nothing back any more. */
  release(): void {
    if (this.#release === undefined) return;
    clearTimeout(this.#releaseTimer);
    this.#release();
    this.#release = undefined;
  }

  /**
   * Sends a pong, or drops one, if too many wait. It does not report when the pong
   * was accepted: each of a million would have to be remembered for that.
   */
  sendPong(frame: Uint8Array): void {
    if (this.#error !== undefined) return;
    if (this.#current === undefined) {
      handled(this.#track(this.#sink.write(frame), 0));
      return;
    }
    if (this.#pongs.length === MAX_WAITING_PONGS) this.#pongs.pop();
    this.#pongs.push(frame);
    if (this.#next === undefined) handled(this.#nextWrite());
  }

  /** Sends nothing any more: what waits is rejected, and what comes. */
  end(error: WebSocketError): void {
    this.#error ??= error;
    this.release();
    this.#frames = [];
    this.#pongs = [];
    this.#waiting = 0;
  }

  /** Makes a write the current one, until it is done and none follows. */
  #track(written: Promise<void>, size: number): Promise<void> {
    return this.#current = written.then(
      () => this.#written(size),
      (cause) => this.#failed(cause),
    );
  }

  #written(size: number): void {
    this.#waiting = Math.max(this.#waiting - size, 0);
    if (this.#next === undefined) this.#current = undefined;
  }

  #failed(cause: unknown): never {
    const message = "Cannot send: the client is lost";
    this.end(new WebSocketError(ABNORMAL_CLOSURE, message, { cause }));
    this.#context.onLost();
    throw this.#error;
  }

  #nextWrite(): Promise<void> {
    return this.#next ??= this.#current!.then(() => this.#writeWaiting());
  }

  #writeWaiting(): Promise<void> {
    this.#next = undefined;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const waiting = [...this.#pongs, ...this.#frames];
    this.#pongs = [];
    this.#frames = [];
    return this.#track(this.#writeAll(joinSmall(waiting)), this.#waiting);
  }

  async #writeAll(frames: Frame[]): Promise<void> {
    for (const frame of frames) await this.#write(frame);
  }

  #write(frame: Frame): Promise<void> {
    return isWhole(frame) ? this.#sink.write(frame) : this.#writePieces(frame);
  }

  /** Each piece is made when the one before it was accepted. */
  async #writePieces(frame: LongFrame): Promise<void> {
    for (const piece of frame.pieces()) {
      // A write may be under way at the end, but none may follow.
      if (this.#error !== undefined) throw this.#error;
      await this.#sink.write(piece);
    }
  }
}

/** Joins neighbours as long as they are small together. */
function joinSmall(frames: readonly Frame[]): Frame[] {
  const joined: Frame[] = [];
  let group: Uint8Array[] = [];
  let size = 0;
  for (const frame of frames) {
    const alone = !isWhole(frame);
    if (group.length > 0 && (alone || size + frame.length > MAX_JOINED_BYTES)) {
      joined.push(join(group, size));
      [group, size] = [[], 0];
    }
    if (alone) {
      joined.push(frame);
      continue;
    }
    group.push(frame);
    size += frame.length;
  }
  if (group.length > 0) joined.push(join(group, size));
  return joined;
}

function isWhole(frame: Frame): frame is Uint8Array {
  return frame instanceof Uint8Array;
}

function join(frames: readonly Uint8Array[], size: number): Uint8Array {
  if (frames.length === 1) return frames[0];
  const joined = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}

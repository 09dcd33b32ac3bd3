/**
 * The one owner of writes: frames leave in the order in which they came, one
 * write at a time. What comes while one is under way leaves together with the
 * next, in as few writes as is reasonable.
 *
 * Pongs go before waiting messages. A client that sends pings and reads nothing
 * makes a bounded number of them wait: behind that, only the latest ping is
 * answered (RFC 6455, section 5.5.3).
 *
 * @module
 */

import { ABNORMAL_CLOSURE } from "./close_codes.ts";
import { WebSocketError } from "./websocket_error.ts";

const MAX_WAITING_PONGS = 32;
/** Frames are joined up to about this size; larger ones leave alone. */
const MAX_JOINED_BYTES = 64 * 1024;

/** Takes bytes; resolves when they were accepted. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Frames on their way to the client. */
export class Outbox {
  readonly #write: WriteBytes;
  readonly #onLost: () => void;
  #frames: Uint8Array[] = [];
  #pongs: Uint8Array[] = [];
  /** The write that is under way, and the one that everything waiting is for. */
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #error: WebSocketError | undefined;

  /**
   * `write` is called for one write at a time; when one fails, `onLost` is
   * called, and nothing is sent any more.
   */
  constructor(write: WriteBytes, onLost: () => void) {
    this.#write = write;
    this.#onLost = onLost;
  }

  /**
   * Sends a frame; resolves when it was accepted.
   *
   * @throws {WebSocketError} If it was not.
   */
  send(frame: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#current === undefined) return this.#track(this.#write(frame));
    this.#frames.push(frame);
    return this.#nextWrite();
  }

  /** As `send`, but too many that wait are only the latest. */
  sendPong(frame: Uint8Array): Promise<void> {
    if (this.#error !== undefined || this.#current === undefined) {
      return this.send(frame);
    }
    if (this.#pongs.length === MAX_WAITING_PONGS) this.#pongs.pop();
    this.#pongs.push(frame);
    return this.#nextWrite();
  }

  /** Sends nothing any more: what waits is rejected, and what comes. */
  end(error: WebSocketError): void {
    this.#error ??= error;
    this.#frames = [];
    this.#pongs = [];
  }

  /** Makes a write the current one, until it is done and none follows. */
  #track(written: Promise<void>): Promise<void> {
    return this.#current = written.then(this.#written, this.#failed);
  }

  readonly #written = (): void => {
    if (this.#next === undefined) this.#current = undefined;
  };

  readonly #failed = (cause: unknown): never => {
    const message = "Cannot send: the client is lost";
    this.end(new WebSocketError(ABNORMAL_CLOSURE, message, { cause }));
    this.#onLost();
    throw this.#error;
  };

  #nextWrite(): Promise<void> {
    return this.#next ??= this.#current!.then(this.#writeWaiting);
  }

  readonly #writeWaiting = (): Promise<void> => {
    this.#next = undefined;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const waiting = [...this.#pongs, ...this.#frames];
    this.#pongs = [];
    this.#frames = [];
    return this.#track(this.#writeAll(joinSmall(waiting)));
  };

  async #writeAll(frames: Uint8Array[]): Promise<void> {
    for (const frame of frames) await this.#write(frame);
  }
}

/** Joins neighbours as long as they are small together. */
function joinSmall(frames: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let size = 0;
  for (const frame of frames) {
    if (size + frame.length > MAX_JOINED_BYTES && group.length > 0) {
      joined.push(join(group, size));
      [group, size] = [[], 0];
    }
    group.push(frame);
    size += frame.length;
  }
  joined.push(join(group, size));
  return joined;
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

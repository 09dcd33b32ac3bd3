/**
 * Acknowledgments of TCP, where writes are delayed: with Nagle's algorithm, which
 * Deno's TLS cannot switch off, a small write waits until the client has
 * acknowledged the one before, and a client that only reads puts that off for
 * 40 ms.
 *
 * A PING is answered at once, and the answer carries the acknowledgment. So every
 * write that others may follow ends with one. TLS writes each of its records by
 * itself, so that a large write needs one in every record.
 *
 * @module
 */

import type { Output } from "../streams/output.ts";
import type { Budgets } from "./budgets.ts";
import type { FrameWriter } from "./frame_writer.ts";
import { FRAME_HEAD_BYTES } from "./frames.ts";

const PING = new Uint8Array(8);
const PING_BYTES = FRAME_HEAD_BYTES + PING.length;
/** The content of a record of TLS, at most (RFC 8446, section 5.1). */
const RECORD_BYTES = 16 * 1024;

/** What is needed of a wire. */
export interface AskingWire {
  readonly output: Pick<Output, "length">;
  readonly frames: Pick<FrameWriter, "ping">;
  readonly budgets: Pick<Budgets, "pingSent">;
  readonly streams: number;
  readonly clientEnded: boolean;
}

/** The acknowledgments of what one connection writes. */
export class Acknowledgments {
  readonly #wire: AskingWire;
  /** Where the last PING of what is collected ends. */
  #askedAt = 0;

  /** Adds to what `wire` collects. */
  constructor(wire: AskingWire) {
    this.#wire = wire;
  }

  /** To be called before so many bytes are collected. */
  beforeContent(bytes: number): void {
    const { length } = this.#wire.output;
    const end = length + PING_BYTES + FRAME_HEAD_BYTES + bytes;
    if (end - this.#askedAt > RECORD_BYTES) this.#ask();
  }

  /** To be called before what is collected is written. */
  beforeWrite(): void {
    this.#ask();
    this.#askedAt = 0;
  }

  #ask(): void {
    const { output, frames, budgets, streams, clientEnded } = this.#wire;
    // With no stream open, nothing follows before the client has sent more.
    if (streams === 0 || clientEnded) return;
    frames.ping(PING, false);
    budgets.pingSent();
    this.#askedAt = output.length;
  }
}

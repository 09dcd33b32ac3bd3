// What the test client has sent, as frames, so that the rules for servers know
// what its frames answer. Bytes that are no frames are left alone.

import { readUint31 } from "../../src/http2/frames.ts";
import { concat, PREFACE } from "./_frames.ts";

/** A frame that was sent, good or bad. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** Takes bytes apart, from the preface on. */
export class SentFrames {
  #rest: Uint8Array = new Uint8Array();
  #begun = false;

  /** The frames that are complete with these bytes. */
  *take(bytes: Uint8Array): Generator<SentFrame> {
    this.#rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    if (!this.#begun) {
      if (this.#rest.length < PREFACE.length) return;
      this.#begun = true;
      this.#rest = this.#rest.subarray(PREFACE.length);
    }
    for (let frame; (frame = this.#next()) !== undefined;) yield frame;
  }

  #next(): SentFrame | undefined {
    const rest = this.#rest;
    if (rest.length < 9) return undefined;
    const end = 9 + (rest[0] << 16 | rest[1] << 8 | rest[2]);
    if (rest.length < end) return undefined;
    this.#rest = rest.subarray(end);
    const [type, flags] = rest.subarray(3);
    const payload = rest.subarray(9, end);
    return { type, flags, streamId: readUint31(rest, 5), payload };
  }
}

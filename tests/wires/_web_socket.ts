// A WebSocket whose frames are written by hand, over the bytes of any wire.

import { assertEquals } from "@std/assert";
import { bytes } from "../_feeding.ts";
import {
  concat,
  describe,
  type ServerFrame,
  serverFrames,
} from "../websocket/_frames.ts";
import type { WireHead, WireResponse, WireWebSocket } from "./_wire.ts";

/** What a WebSocket needs of its wire. */
export interface WebSocketBytes {
  /** The status by which it is accepted. */
  readonly acceptStatus: number;
  head(): Promise<WireHead>;
  response(): Promise<WireResponse>;
  send(content: Uint8Array): Promise<void>;
  take(length: number): Promise<string>;
  /** All that comes until the server ends; rejects if it was cut. */
  takeToEnd(): Promise<string>;
  /** Waits until the server has ended, in whatever way. */
  closed(): Promise<void>;
  leave(): void;
}

/** A WebSocket as a test's client has it. */
export class FrameWebSocket implements WireWebSocket {
  readonly #bytes: WebSocketBytes;

  constructor(bytes: WebSocketBytes) {
    this.#bytes = bytes;
  }

  head(): Promise<WireHead> {
    return this.#bytes.head();
  }

  response(): Promise<WireResponse> {
    return this.#bytes.response();
  }

  async opened(): Promise<this> {
    assertEquals((await this.head()).status, this.#bytes.acceptStatus);
    return this;
  }

  send(...frames: Uint8Array[]): Promise<void> {
    return this.#bytes.send(concat(frames));
  }

  async read(): Promise<ServerFrame> {
    const head = await this.#exactly(2);
    const short = head[1] & 0x7f;
    const size = short < 126 ? 0 : short === 126 ? 2 : 8;
    const extended = await this.#exactly(size);
    const length = size === 0
      ? short
      : extended.reduce((sum, byte) => 256 * sum + byte, 0);
    const payload = await this.#exactly(length);
    return serverFrames(concat([head, extended, payload]))[0];
  }

  async next(): Promise<string> {
    return describe(await this.read());
  }

  async rest(): Promise<string[]> {
    const rest = await this.#bytes.takeToEnd();
    return serverFrames(bytes(rest)).map(describe);
  }

  closed(): Promise<void> {
    return this.#bytes.closed();
  }

  leave(): void {
    this.#bytes.leave();
  }

  async #exactly(length: number): Promise<Uint8Array<ArrayBuffer>> {
    return bytes(await this.#bytes.take(length));
  }
}

/**
 * The bytes of a stream in both directions, for a protocol that an extended
 * CONNECT has asked for (RFC 8441, section 5; RFC 9220): DATA carries them, the end
 * of the stream is that of one direction, as FIN is for TCP, and a reset ends both,
 * as RST does.
 *
 * @module
 */

import { ByteReader } from "../streams/byte_reader.ts";
import type { ByteStream } from "../streams/byte_stream.ts";
import type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
import type { MessageStream } from "./message_stream.ts";

const EMPTY = new Uint8Array(0);

/** What the new protocol runs on; its owner must close it. */
export class StreamTunnel implements ByteStream {
  /** What the client sends; the first bytes may be there already. */
  readonly reader: ByteReader;

  readonly #stream: MessageStream;
  #deadline: DisposableDeadline | undefined;
  #bytesSent = 0;
  #writeEnded = false;

  /** Takes over a stream whose CONNECT was accepted. */
  constructor(stream: MessageStream) {
    this.#stream = stream;
    this.reader = new ByteReader(
      new ReadableStream({
        pull: (controller) => this.#pull(controller),
        cancel: () => this.abort(),
      }, { highWaterMark: 0 }),
    );
  }

  /** Bounds the waits on this stream. */
  get deadline(): Deadline {
    return this.#deadline ??= this.#stream.createDeadline();
  }

  /** Makes another deadline. */
  createDeadline(): DisposableDeadline {
    return this.#stream.createDeadline();
  }

  /** How many bytes were given to {@linkcode StreamTunnel.write}. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  async #pull(
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    for (;;) {
      const chunk = this.#stream.takeContent();
      if (chunk !== undefined) return controller.enqueue(chunk);
      if (this.#stream.body.complete) return controller.close();
      await this.#stream.arrival(Infinity);
    }
  }

  /** Sends bytes; resolves when they were accepted. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytesSent += bytes.length;
    await this.#stream.sendData(bytes, false);
  }

  /**
   * Ends this direction, and gives the client `ms` milliseconds to end the other.
   */
  async close(ms: number): Promise<void> {
    try {
      this.deadline.arm(ms, () => this.abort());
      await this.#endWrite();
      do this.reader.discard(); while (await this.reader.fill());
    } catch {
      // The client is lost.
    } finally {
      this.abort();
    }
  }

  #endWrite(): Promise<void> | undefined {
    if (this.#writeEnded) return undefined;
    this.#writeEnded = true;
    return this.#stream.sendData(EMPTY, true);
  }

  /** Closes both directions at once: a pending read or write fails. */
  abort(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#stream.cut("CANCEL", new Error("The WebSocket was closed"));
  }
}

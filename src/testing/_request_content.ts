/**
 * The content of a request, as an application receives it: of a stream nothing
 * is read before the application asks for it.
 *
 * @module
 */

import { copyBytes } from "../streams/copy_bytes.ts";
import { handled } from "../streams/handled.ts";

/** What a request can be made of. */
export type RequestBody = string | Uint8Array | ReadableStream<Uint8Array>;

/** Content that is at hand is given in pieces of at most this size, in bytes. */
const PIECE_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** A client that half-closes amid its content has sent a bad request. */
class TruncatedContentError extends Error {
  readonly status = 400;

  constructor() {
    super("Cannot read body: the client has ended it too soon");
  }
}

/** The content of one request. */
export class RequestContent {
  /** How many bytes it has; `undefined` if that shows only at its end. */
  readonly length: number | undefined;

  #rest: Uint8Array | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #ended = false;
  readonly #broken = Promise.withResolvers<never>();

  /** Takes over the lock of a stream. */
  constructor(body: RequestBody | undefined) {
    handled(this.#broken.promise); // A read may be waiting for it, or none.
    if (body instanceof ReadableStream) {
      this.#reader = body.getReader();
      return;
    }
    this.#rest = typeof body === "string" ? encoder.encode(body) : body;
    this.length = this.#rest?.length ?? 0;
    this.#ended = this.length === 0;
  }

  /** Whether all of it was given. */
  get complete(): boolean {
    return this.#ended;
  }

  /** Gives what is at hand; the application may do with it what it likes. */
  take(): Uint8Array | undefined {
    if (this.#rest === undefined || this.#ended) return undefined;
    const piece = this.#rest.slice(0, PIECE_BYTES);
    this.#rest = this.#rest.subarray(PIECE_BYTES);
    this.#ended = this.#rest.length === 0;
    return piece;
  }

  /**
   * Gives what comes next; `null` at the end.
   *
   * @throws What the stream throws, or what the content was broken off with.
   */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      if (this.#ended) return null;
      const { done, value } = await Promise.race([
        this.#reader!.read(),
        this.#broken.promise,
      ]);
      if (done) this.#ended = true;
      else if (!(value instanceof Uint8Array)) throw noBytes(value);
      else if (value.length > 0) return copyBytes(value);
    }
  }

  /** Breaks it off: what was not given by now will not come. */
  break(how: "half-closed" | "lost"): void {
    if (this.#ended) return;
    this.#broken.reject(
      how === "half-closed"
        ? new TruncatedContentError()
        : new Error("Cannot read body: the client is lost"),
    );
    this.cancel();
  }

  /** Cancels the stream: no more will be asked for. */
  cancel(): void {
    if (this.#ended || this.#reader === undefined) return;
    // A stream that fails to end has given all it will.
    handled(this.#reader.cancel("The request is over"));
  }
}

function noBytes(value: unknown): TypeError {
  return new TypeError(
    `Cannot send body: the stream must give Uint8Arrays, not ${typeof value}`,
  );
}

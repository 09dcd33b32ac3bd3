/**
 * The content of a request, taken out of its framing (RFC 9112, sections 6–7).
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import { HttpError } from "../http/http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import type { BodyFramer } from "./body_framer.ts";
import { ChunkedBody } from "./chunked_body.ts";
import type { BodyFraming } from "./connection_fields.ts";
import { LengthBody } from "./length_body.ts";

/**
 * Reads the content of one request.
 *
 * @example
 * ```ts
 * import { ByteReader, RequestBody } from "jsr:@x/asgi/http1";
 *
 * const bytes = new Blob(["5\r\nHello\r\n0\r\n\r\n"]).stream();
 * const body = new RequestBody(new ByteReader(bytes), "chunked");
 * await body.read(); // the bytes of "Hello"
 * await body.read(); // null
 * ```
 */
export class RequestBody {
  readonly #reader: ByteReader;
  readonly #framer: BodyFramer & { readonly trailers?: readonly Field[] };

  /** Reads from `reader`, whose next bytes follow the request's head. */
  constructor(
    reader: ByteReader,
    framing: BodyFraming,
    limits: RequestLimits = DEFAULT_LIMITS,
  ) {
    this.#reader = reader;
    this.#framer = framing === "chunked"
      ? new ChunkedBody(reader, limits)
      : new LengthBody(reader, framing);
  }

  /** Whether everything up to the end of the body has been taken. */
  get complete(): boolean {
    return this.#framer.complete;
  }

  /** Bytes of content that were not taken; `Infinity` until a chunked body ends. */
  get left(): number {
    return this.#framer.left;
  }

  /** The trailers of a chunked body, once it is complete. */
  get trailers(): readonly Field[] {
    return this.#framer.trailers ?? [];
  }

  /**
   * Takes up to 64 KiB of content from what is buffered.
   *
   * @returns `undefined` if the body is complete, or if more bytes are needed.
   * @throws {HttpError} 400 for bad framing, 413 for too much content.
   */
  take(): Uint8Array | undefined {
    return this.#framer.take();
  }

  /**
   * Reads content as soon as there is some; `null` when the body is complete.
   *
   * @throws {HttpError} As {@linkcode RequestBody.take}, and 400 if the stream
   * ends before the body does.
   */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.take();
      if (chunk !== undefined) return chunk;
      if (this.complete) return null;
      if (!await this.#reader.fill()) {
        throw new HttpError(400, "Cannot read request body: the stream ended");
      }
    }
  }
}

/**
 * Writes one response, in the framing that its head has settled. It checks what
 * it is asked for, so that no response gets into another one:
 *
 * | state    | call                   | next state                        |
 * |----------|------------------------|-----------------------------------|
 * | start    | informational          | start                             |
 * | start    | head                   | content                           |
 * | content  | data                   | content; after the last: complete |
 * | content  | trailers               | complete                          |
 * | any      | end                    | complete                          |
 *
 * Any other call throws. Content that misses its declared length closes the
 * connection. Names and values of fields are sent as they are: they must have
 * been checked.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import type { Output } from "./output.ts";
import type { RequestHead } from "./request_head.ts";
import {
  composeHead,
  type ResponseDefaults,
  type ResponseFraming,
} from "./response_head.ts";
import { statusLine } from "../http/status.ts";

/** What a response needs of its connection. */
export interface ResponseContext {
  readonly output: Output;
  readonly options: ResponseDefaults;
  /** Sends what is in `output`, now or with the next response of a burst. */
  flush(last: boolean): Promise<void> | undefined;
  /** Closes the connection at once. */
  abort(): void;
}

/** How far a response has come. */
export type ResponseState = "start" | "content" | "complete";

/** Fields that must not stand in trailers (RFC 9110, section 6.5.1). */
const FRAMING_FIELDS = new Set(["content-length", "transfer-encoding"]);
const NO_CONTENT = new Uint8Array(0);

/** What to say of a call that a state does not allow. */
const REFUSALS: Record<ResponseState, string> = {
  start: "the response has not begun",
  content: "the response has begun",
  complete: "the response is complete",
};

/** Writes one response. */
export class ResponseWriter {
  readonly #request: RequestHead;
  readonly #context: ResponseContext;
  #state: ResponseState = "start";
  #status: number | null = null;
  #framing: ResponseFraming = "none";
  /** What is left to be sent of a length that was declared. */
  #left = 0;
  #bytesSent = 0;

  /** The response to `request`. */
  constructor(request: RequestHead, context: ResponseContext) {
    this.#request = request;
    this.#context = context;
  }

  /** How far it has come. */
  get state(): ResponseState {
    return this.#state;
  }

  /** The status that was sent; `null` if none was. */
  get status(): number | null {
    return this.#status;
  }

  /** Bytes of content that were sent. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Sends an interim response (1xx). */
  async informational(
    status: number,
    headers: readonly Field[],
  ): Promise<void> {
    this.require("start", "inform");
    const { output } = this.#context;
    output.text(statusLine(status));
    for (const [name, value] of headers) output.text(`${name}: ${value}\r\n`);
    output.text("\r\n");
    await this.#context.flush(false);
  }

  /**
   * Begins the response.
   *
   * @returns Whether the connection can serve another request after it.
   */
  head(
    status: number,
    headers: readonly Field[],
    keepAlive: boolean,
  ): boolean {
    this.require("start", "begin response");
    const { output, options } = this.#context;
    const head = composeHead(this.#request, {
      status,
      headers,
      keepAlive,
      defaults: options,
    });
    this.#state = "content";
    this.#status = status;
    this.#framing = head.framing;
    this.#left = head.length ?? 0;
    output.text(head.text);
    return head.keepAlive;
  }

  /** Sends content, and ends the response if it is the last. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    this.require("content", "send content");
    if (this.#framing !== "none") this.#send(chunk, last);
    if (last) this.#state = "complete";
    return this.#context.flush(last);
  }

  /** Ends the response with trailers, which only a chunked one can carry. */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    if (this.#framing !== "chunked") return this.data(NO_CONTENT, true);
    this.require("content", "send trailers");
    const { output } = this.#context;
    output.text("0\r\n");
    if (this.#request.acceptsTrailers) {
      for (const [name, value] of fields) {
        if (FRAMING_FIELDS.has(name)) continue;
        output.text(`${name}: ${value}\r\n`);
      }
    }
    output.text("\r\n");
    this.#state = "complete";
    return this.#context.flush(true);
  }

  /** Says that nothing more will be written, with the status that was last. */
  end(status = this.#status): void {
    this.#status = status;
    this.#state = "complete";
  }

  /**
   * Checks that the response is in `state`.
   *
   * @throws {Error} If it is in another.
   */
  require(state: ResponseState, what: string): void {
    if (this.#state === state) return;
    throw new Error(`Cannot ${what}: ${REFUSALS[this.#state]}`);
  }

  #send(chunk: Uint8Array, last: boolean): void {
    const { output } = this.#context;
    if (this.#framing === "chunked") {
      this.#sendChunk(chunk, last);
    } else {
      if (this.#framing === "length") this.#countDown(chunk.length, last);
      output.bytes(chunk);
    }
    this.#bytesSent += chunk.length;
  }

  #sendChunk(chunk: Uint8Array, last: boolean): void {
    const { output } = this.#context;
    if (chunk.length > 0) {
      output.text(`${chunk.length.toString(16)}\r\n`);
      output.bytes(chunk);
      output.text(last ? "\r\n0\r\n\r\n" : "\r\n");
    } else if (last) {
      output.text("0\r\n\r\n");
    }
  }

  #countDown(length: number, last: boolean): void {
    this.#left -= length;
    if (this.#left === 0 || this.#left > 0 && !last) return;
    this.end();
    this.#context.abort();
    const missed = this.#left < 0
      ? `${-this.#left} bytes more`
      : `${this.#left} bytes less`;
    throw new RangeError(
      `Cannot send content: ${missed} than content-length declared`,
    );
  }
}

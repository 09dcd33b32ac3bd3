/**
 * Writes one response, in the framing that its head has settled, and checks what
 * it is asked for: `http/response_state.ts` holds the order of the steps. A step
 * that is not due, or a field that can't be sent, throws and writes nothing;
 * content that misses its declared length closes the connection.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import type { ContentStep } from "../http/response_state.ts";
import { statusLine } from "../http/status.ts";
import { WireProgress } from "../http/wire_progress.ts";
import type { RequestHead } from "./request_head.ts";
import {
  composeFields,
  composeHead,
  type ResponseFraming,
} from "./response_head.ts";
import type { Http1Wire } from "./wire.ts";

/** Writes one response, and follows its progress. */
export class ResponseWriter extends WireProgress {
  readonly #request: RequestHead;
  readonly #wire: Http1Wire;
  #status: number | null = null;
  #framing: ResponseFraming = "none";
  #bytesSent = 0;

  /** The response to `request`. */
  constructor(request: RequestHead, wire: Http1Wire) {
    super();
    this.#request = request;
    this.#wire = wire;
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
    const text = `${statusLine(status)}${composeFields(headers)}\r\n`;
    this.advance("informational");
    this.#wire.output.text(text);
    await this.#wire.flush(false);
  }

  /** Answers 101; nothing of HTTP follows. */
  async upgrade(headers: readonly Field[]): Promise<void> {
    const text = `${statusLine(101)}${composeFields(headers)}\r\n`;
    this.advance("upgrade");
    this.#status = 101;
    this.#wire.output.text(text);
    // The new protocol writes by itself.
    await this.#wire.output.flush();
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
    const { output, options: defaults } = this.#wire;
    const parts = { status, headers, keepAlive, defaults };
    const head = composeHead(this.#request, parts);
    this.begin(head.length);
    this.#status = status;
    this.#framing = head.framing;
    output.text(head.text);
    return head.keepAlive;
  }

  /** Sends content, and ends the response if it is the last. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("Cannot send content: it must be a Uint8Array");
    }
    this.#count(chunk.length, last ? "last data" : "data");
    if (this.#framing !== "none") this.#send(chunk, last);
    return this.#wire.flush(last);
  }

  /** Ends the response with trailers, which only a chunked one can carry. */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    this.check("data before trailers");
    const text = composeFields(fields);
    this.#count(0, "data before trailers");
    this.advance("last trailers");
    if (this.#framing === "chunked") {
      const sent = this.#request.acceptsTrailers ? text : "";
      this.#wire.output.text(`0\r\n${sent}\r\n`);
    }
    return this.#wire.flush(true);
  }

  #count(bytes: number, step: ContentStep): void {
    try {
      this.content(bytes, step);
    } catch (error) {
      // The client must not take what it has for the whole.
      if (this.state === "broken") this.#wire.abort();
      throw error;
    }
  }

  #send(chunk: Uint8Array, last: boolean): void {
    if (this.#framing === "chunked") this.#sendChunk(chunk, last);
    else this.#wire.output.bytes(chunk);
    this.#bytesSent += chunk.length;
  }

  #sendChunk(chunk: Uint8Array, last: boolean): void {
    const { output } = this.#wire;
    if (chunk.length > 0) {
      output.text(`${chunk.length.toString(16)}\r\n`);
      output.bytes(chunk);
      output.text(last ? "\r\n0\r\n\r\n" : "\r\n");
    } else if (last) {
      output.text("0\r\n\r\n");
    }
  }
}

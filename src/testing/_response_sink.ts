/**
 * The client's end of a response. It does to heads and content what the server
 * does on HTTP/1.1: fields of framing are the server's own, and some responses
 * have no content.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import { handled } from "../streams/handled.ts";
import type { CallErrors } from "./_app_errors.ts";
import { BoundedQueue } from "./_bounded_queue.ts";

/** The head of a response, as it was sent. */
export interface ResponseHead {
  /** The status code. */
  readonly status: number;
  /** The fields in their order, with their names in lowercase. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Of which statuses `Response` takes no content. */
const NULL_BODY = new Set([204, 205, 304]);
const encoder = new TextEncoder();

/** Takes one response in. */
export class ResponseSink {
  /** The head, once it has come. */
  readonly head: Promise<ResponseHead>;
  /** The trailers, once all of the response has come. */
  readonly trailers: Promise<Headers>;

  readonly #errors: CallErrors;
  readonly #onCancel: () => void;
  readonly #content = new BoundedQueue<Uint8Array>();
  readonly #head = Promise.withResolvers<ResponseHead>();
  readonly #trailers = Promise.withResolvers<Headers>();
  #response: Promise<Response> | undefined;
  #begun = false;
  #bodyless: boolean;

  /**
   * `bodyless`: whether its request allows it no content; `onCancel` is called
   * when the rest of it is not wanted.
   */
  constructor(errors: CallErrors, bodyless: boolean, onCancel: () => void) {
    this.#errors = errors;
    this.#bodyless = bodyless;
    this.#onCancel = onCancel;
    // A test that wants one of these has the promise.
    this.head = handled(this.#head.promise);
    this.trailers = handled(this.#trailers.promise);
  }

  /** Whether the head has come. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether it has no content, whatever is sent. */
  get bodyless(): boolean {
    return this.#bodyless;
  }

  /** The response, once its head has come. */
  get response(): Promise<Response> {
    // As the head.
    return this.#response ??= handled(
      this.head.then((head) => this.#createResponse(head)),
    );
  }

  // The server's side.

  /** The head comes. */
  begin(status: number, fields: readonly Field[]): void {
    this.#begun = true;
    this.#bodyless ||= NULL_BODY.has(status);
    const headers = fields.filter(([name]) => isKept(name, status));
    this.#head.resolve({ status, headers });
  }

  /** Content comes; resolves when there is room for more. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    const room = chunk.length === 0 || this.#bodyless
      ? undefined
      : this.#content.put(copyBytes(chunk));
    if (last) this.end();
    return room;
  }

  /** All of it has come. */
  end(trailers: Headers = new Headers()): void {
    this.#content.end();
    this.#trailers.resolve(trailers);
  }

  /** An error page comes. */
  page(status: number): void {
    const page = encoder.encode(`${PHRASES.get(status) ?? "Error"}\n`);
    this.begin(status, [
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(page.length)],
    ]);
    handled(this.data(page, true)); // There is always room for it.
  }

  /** It is cut short: by what the application has thrown, if it has. */
  async cut(): Promise<void> {
    if (this.#content.ended) return;
    const failed = await this.#errors.settled();
    this.fail(
      failed === undefined
        ? new Error("Cannot read response: it was cut short")
        : failed.error,
    );
  }

  /** It is cut short by `error`. */
  fail(error: unknown): void {
    this.#content.fail(error);
    this.#head.reject(error);
    this.#trailers.reject(error);
  }

  // The client's side.

  #createResponse({ status, headers }: ResponseHead): Response {
    const body = this.#bodyless ? null : this.#read();
    const init = { status, headers: headers as [string, string][] };
    return new Response(body, init);
  }

  #read(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      pull: async (controller) => {
        const chunk = await this.#errors.raise(this.#content.take());
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      },
      cancel: () => {
        this.#content.clear();
        if (!this.#content.ended) this.#onCancel();
      },
    }, { highWaterMark: 0 });
  }
}

/** What a test sees of a response whose client has disconnected. */
export function disconnected(): DOMException {
  return new DOMException("The client has disconnected", "AbortError");
}

/** Whether a field that an application sends reaches its client. */
function isKept(name: string, status: number): boolean {
  if (name === "content-length") return status !== 204 && status !== 205;
  return name !== "connection" && name !== "transfer-encoding";
}

/** What the server's error pages say. */
const PHRASES = new Map([
  [400, "Bad Request"],
  [403, "Forbidden"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
]);

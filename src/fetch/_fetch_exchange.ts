/**
 * Carries a request and its response over `fetch`'s objects: what HTTP/1.1 is
 * for the server, a `Request` and a `Response` are here.
 *
 * The response is made with its first content, as the server's leaves then. If
 * that is all of it, it is handed over whole; otherwise the rest is a stream,
 * which the application fills no faster than it is read.
 *
 * @module
 */

import type { Answerable, DisconnectListener } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import { copyBytes } from "../streams/copy_bytes.ts";
import { handled } from "../streams/handled.ts";

/** What the application may send before the response is read. */
const AHEAD_BYTES = 64 * 1024;

const PHRASES: Record<number, string> = {
  400: "Bad Request",
  403: "Forbidden",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** A request, and the means to answer it. */
export class FetchExchange implements Answerable {
  /** The request. */
  readonly request: Request;
  /** Is called when the client disconnects before the response is complete. */
  disconnectListener: DisconnectListener | undefined;
  /** What the runtime is to report in place of an error page. */
  fault: { readonly error: unknown } | undefined;

  readonly #response = Promise.withResolvers<Response>();
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #bodyComplete: boolean;
  #signal: AbortSignal | undefined;
  #lost = false;
  #head: ResponseInit & { headers: Headers } | undefined;
  #begun = false;
  #complete = false;
  #content: ReadableStreamDefaultController<Uint8Array> | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(request: Request) {
    this.request = request;
    this.#bodyComplete = request.body === null;
  }

  /**
   * How the client has disconnected, if it has. The signal is made only when this
   * is asked for: that costs time, and Deno prints a notice.
   */
  get disconnect(): "lost" | undefined {
    if (!this.#complete) this.#follow();
    return this.#lost ? "lost" : undefined;
  }

  /** The response; rejects with the fault, if there is one. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** Whether only the head of the response is asked for. */
  get isHead(): boolean {
    return this.request.method === "HEAD";
  }

  /** No `Response` can hold them. */
  get earlyHints(): boolean {
    return false;
  }

  /** Whether all of the request's content was read. */
  get bodyComplete(): boolean {
    return this.#bodyComplete;
  }

  /** Nothing is there before it was read. */
  takeBody(): undefined {}

  /** Reads content of the request; `null` at its end. */
  async readBody(): Promise<Uint8Array | null> {
    try {
      this.#body ??= this.request.body!.getReader();
      const { done, value } = await this.#body.read();
      this.#bodyComplete = done;
      return value ?? null;
    } catch (error) {
      this.#lose();
      throw error;
    }
  }

  /** No interim response gets here: events that ask for one are refused. */
  sendInformational(): Promise<void> {
    return Promise.reject(
      new TypeError("Cannot send interim response: fetch can't carry it"),
    );
  }

  /** No trailers get here: events that hold some are refused. */
  trailers(): Promise<void> {
    return Promise.reject(
      new TypeError("Cannot send trailers: fetch can't carry them"),
    );
  }

  /** Begins the response; it is made with the first data. */
  head(status: number, fields: readonly Field[]): void {
    const headers = new Headers();
    for (const [name, value] of fields) {
      if (!isFraming(name, status)) headers.append(name, value);
    }
    this.#head = { status, headers };
  }

  /** Sends content; resolves when there is room for more. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    if (this.#complete) return Promise.reject(new Error(LOST));
    if (!this.#begun && !this.#isBodyless && !last) this.#openStream();
    if (!this.#begun) this.#respond(this.#wholeResponse(chunk));
    else this.#write(chunk);
    if (!last) return this.#waitForRoom();
    if (this.#content !== undefined) this.#content.close();
    this.#end();
  }

  /** Answers with an error page, or the fault; cuts what has begun. */
  refuse(status: number): Promise<void> {
    if (this.#begun) {
      this.abort();
    } else if (this.fault !== undefined) {
      this.#begun = true;
      this.#response.reject(this.fault.error);
      this.#end();
    } else {
      this.#respond(errorPage(status));
      this.#end();
    }
    return Promise.resolve();
  }

  /** Cuts the response. */
  abort(): void {
    if (this.#complete) return;
    this.#content?.error(this.fault?.error ?? new Error(CUT));
    // Its client has disconnected: this one is not read.
    if (!this.#begun) this.#respond(new Response(null, { status: 499 }));
    this.#end();
  }

  /** Answers with a response that is whole, or streams by itself. */
  #respond(response: Response): void {
    this.#begun = true;
    this.#response.resolve(response);
  }

  /** Answers with a response that is the start of another protocol. */
  handOver(response: Response): void {
    this.#respond(response);
    this.#end();
  }

  /** Follows the client no more. */
  #end(): void {
    this.#complete = true;
    this.#signal?.removeEventListener("abort", this.#lose);
    this.#room?.reject(new Error(LOST));
    // Nobody reads the rest, nor wants to know why there is none.
    if (!this.#bodyComplete && this.#body) handled(this.#body.cancel());
  }

  readonly #lose = (): void => {
    if (this.#complete) return;
    this.#lost = true;
    this.disconnectListener?.disconnected("lost");
    this.abort();
  };

  #follow(): void {
    if (this.#signal !== undefined) return;
    this.#signal = this.request.signal;
    if (this.#signal.aborted) this.#lose();
    else this.#signal.addEventListener("abort", this.#lose);
  }

  get #isBodyless(): boolean {
    return this.isHead || this.#isNullBody;
  }

  /** Whether no `Response` of this status can have a body. */
  get #isNullBody(): boolean {
    return [204, 205, 304].includes(this.#head!.status!);
  }

  #wholeResponse(content: Uint8Array): Response {
    if (!this.#isBodyless) return new Response(copyBytes(content), this.#head);
    // Of a response without content, runtimes say that its length is 0; of an
    // empty stream they say nothing, which is right for HEAD.
    const silent = this.isHead && !this.#isNullBody &&
      !this.#head!.headers.has("content-length");
    return new Response(silent ? emptyStream() : null, this.#head);
  }

  #openStream(): void {
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#content = controller;
      },
      pull: () => {
        this.#room?.resolve();
        this.#room = undefined;
      },
      cancel: () => {
        this.#content = undefined;
        this.#lose();
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }));
    this.#respond(new Response(stream, this.#head));
  }

  #write(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#content?.enqueue(copyBytes(chunk));
  }

  #waitForRoom(): Promise<void> | undefined {
    if (this.#content === undefined || this.#content.desiredSize! > 0) return;
    this.#room = Promise.withResolvers();
    return this.#room.promise;
  }
}

const LOST = "Cannot send: the response is over";
const CUT = "Cannot complete response: it was cut short";

/** Whether a field is the runtime's to write, or must not be. */
function isFraming(name: string, status: number): boolean {
  return name === "transfer-encoding" ||
    name === "content-length" && status === 204;
}

function emptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** The content of an error response echoes nothing of the request. */
function errorPage(status: number): Response {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return new Response(`${PHRASES[status] ?? "Error"}\n`, { status, headers });
}

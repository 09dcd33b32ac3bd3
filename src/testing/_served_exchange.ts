/**
 * What carries a request and its response between a test and the cycle of the
 * server: no bytes of HTTP are made, but the same calls are answered.
 *
 * @module
 */

import type { ScopedRequest } from "../asgi/http_scope.ts";
import type { Answerable, DisconnectListener } from "../http/exchange.ts";
import type { BuiltRequest } from "./_request.ts";
import { type Field, isFramingField, listsToken } from "../http/fields.ts";
import { handled } from "../streams/handled.ts";
import type { CallErrors } from "./_app_errors.ts";
import type { RequestContent } from "./_request_content.ts";
import { type ResponseHead, ResponseSink } from "./_response_sink.ts";

/** The wire of one request. */
export class ServedExchange implements Answerable {
  /** The response, from the client's side. */
  readonly response: ResponseSink;
  /** Whether early hints can be sent. */
  readonly earlyHints: boolean;
  /** The interim responses that have come. */
  readonly informational: ResponseHead[] = [];
  /** How the client has disconnected, if it has. */
  disconnect: "half-closed" | "lost" | undefined;
  /** Is called when the client disconnects. */
  disconnectListener: DisconnectListener | undefined;

  readonly #request: ScopedRequest;
  readonly #content: RequestContent;
  readonly #errors: CallErrors;
  #hasLength = false;

  /** The request is about to be made. */
  constructor(
    { info, earlyHints }: BuiltRequest,
    content: RequestContent,
    errors: CallErrors,
  ) {
    this.#request = info;
    this.earlyHints = earlyHints;
    this.#content = content;
    this.#errors = errors;
    this.response = new ResponseSink(errors, info.method === "HEAD", () => {
      this.clientDisconnected(
        "lost",
        new Error("Cannot read response: it was cancelled"),
      );
    });
  }

  /** The client disconnects; `reason` is what the test sees of that. */
  clientDisconnected(how: "half-closed" | "lost", reason: unknown): void {
    if (this.disconnect === "lost" || this.disconnect === how) return;
    this.disconnect = how;
    if (how === "lost") this.response.fail(reason);
    this.#content.break(how);
    this.disconnectListener?.disconnected(how);
  }

  /** Whether all of the request's content was read. */
  get bodyComplete(): boolean {
    return this.#content.complete;
  }

  /** Takes content that is at hand. */
  takeBody(): Uint8Array | undefined {
    return this.#content.take();
  }

  /** Reads content; if its stream fails, the client is lost. */
  async readBody(): Promise<Uint8Array | null> {
    try {
      return await this.#content.read();
    } catch (error) {
      if (this.disconnect === undefined) this.clientDisconnected("lost", error);
      throw error;
    }
  }

  /** Takes an interim response; HTTP/1.0 knows none. */
  async sendInformational(
    status: number,
    headers: readonly Field[],
  ): Promise<void> {
    if (this.#request.version === "1.0") return;
    await Promise.resolve(this.informational.push({ status, headers }));
  }

  /** Takes the head. */
  head(status: number, headers: readonly Field[]): void {
    this.#hasLength = headers.some(([name]) => name === "content-length");
    this.response.begin(status, headers);
  }

  /** Takes content. */
  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    if (this.disconnect === "lost") return lost();
    return this.response.data(chunk, last);
  }

  /** Takes the trailers, where the server would send them. */
  trailers(fields: readonly Field[]): Promise<void> | undefined {
    if (this.disconnect === "lost") return lost();
    const sent = this.#carriesTrailers
      ? fields.filter(([name]) => !isFramingField(name))
      : [];
    this.response.end(new Headers(sent as [string, string][]));
    return undefined;
  }

  /** The request fails: with the application's error, or an error page. */
  async refuse(status: number): Promise<void> {
    if (this.response.begun) return this.abort();
    const failed = status === 500 ? await this.#errors.settled() : undefined;
    if (failed === undefined) this.response.page(status);
    else this.response.fail(failed.error);
  }

  /** Cuts the response short. */
  abort(): void {
    handled(this.response.cut()); // It fails nothing but the response.
  }

  /** On HTTP/1.1 they need a client that asks, and chunked content. */
  get #carriesTrailers(): boolean {
    const { version, headers } = this.#request;
    if (version !== "1.1") return version !== "1.0";
    return !this.#hasLength && !this.response.bodyless &&
      headers.some(([name, value]) =>
        name === "te" && listsToken(value, "trailers")
      );
  }
}

function lost(): Promise<never> {
  return Promise.reject(new Error("Cannot send: the client is lost"));
}

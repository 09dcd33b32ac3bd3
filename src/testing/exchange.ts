/**
 * A request to an application, from the client's side.
 *
 * @module
 */

import type { AppErrors } from "./_app_errors.ts";
import type { ServedExchange } from "./_served_exchange.ts";
import { disconnected, type ResponseHead } from "./_response_sink.ts";

/** A request that was made, and what comes of it. */
export interface TestExchange {
  /** The interim responses that have come so far, such as early hints (103). */
  readonly informational: readonly ResponseHead[];
  /** The head of the response as it was sent, with its status and its fields. */
  readonly head: Promise<ResponseHead>;
  /**
   * The response, once its head has come. Its content is streamed: of what the
   * test does not read, the application can send 64 KiB ahead. Cancelling it
   * is a disconnect.
   *
   * It rejects with what the application has thrown, unless `raiseAppErrors` is
   * off; with a `RangeError` for a status above 599, which no `Response` can
   * have; otherwise if there will be none.
   */
  readonly response: Promise<Response>;
  /** The trailers, once all of the response has come. */
  readonly trailers: Promise<Headers>;
  /** Resolves when the application has returned, or has thrown. */
  readonly finished: Promise<void>;
  /**
   * The client is gone, without a word: the application's sends reject with
   * `ClientDisconnected`, and `receive` gives `http.disconnect`.
   */
  disconnect(): void;
  /**
   * The client sends no more, but can still be sent to: `receive` gives
   * `http.disconnect`. Amid the request's content, that is a bad request.
   */
  halfClose(): void;
}

/** The client's side of an exchange. */
export class ClientExchange implements TestExchange {
  /** Resolves when the application has returned. */
  readonly finished: Promise<void>;
  readonly #wire: ServedExchange;
  readonly #errors: AppErrors;

  /** The application is being called. */
  constructor(
    wire: ServedExchange,
    errors: AppErrors,
    finished: Promise<void>,
  ) {
    this.#wire = wire;
    this.#errors = errors;
    this.finished = finished;
  }

  /** The interim responses. */
  get informational(): readonly ResponseHead[] {
    return this.#wire.informational;
  }

  /** The head of the response. */
  get head(): Promise<ResponseHead> {
    return this.#errors.raise(this.#wire.response.head);
  }

  /** The response. */
  get response(): Promise<Response> {
    return this.#errors.raise(this.#wire.response.response);
  }

  /** The trailers. */
  get trailers(): Promise<Headers> {
    return this.#errors.raise(this.#wire.response.trailers);
  }

  /** The client is gone. */
  disconnect(): void {
    this.#wire.clientDisconnected("lost", disconnected());
  }

  /** The client sends no more. */
  halfClose(): void {
    this.#wire.clientDisconnected("half-closed", undefined);
  }
}

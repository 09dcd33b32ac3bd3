/**
 * The call of a handler for one of the exchanges that a connection carries at
 * once: one that fails does no harm to the others.
 *
 * @module
 */

import { HttpError } from "./http_error.ts";
import type { MessageStream } from "./message_stream.ts";
import type { StreamExchange } from "./stream_exchange.ts";

/**
 * Calls `handle`; a response that it does not complete becomes an error, or is
 * cut. `onFailure` is called with what it fails with, unless that is an
 * `HttpError`, or the client is lost.
 *
 * @returns When the handler is done. It does not reject.
 */
export async function handleExchange<E extends StreamExchange<MessageStream>>(
  exchange: E,
  handle: (exchange: E) => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  try {
    await handle(exchange);
    if (!exchange.complete && exchange.disconnect !== "lost") {
      await exchange.refuse(500);
    }
  } catch (error) {
    if (exchange.disconnect === "lost") return;
    const isKnown = error instanceof HttpError;
    if (!isKnown) onFailure(error);
    await exchange.refuse(isKnown ? error.status : 500);
  } finally {
    exchange.callReturned();
  }
}

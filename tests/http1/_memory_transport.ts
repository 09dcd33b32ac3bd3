// Runs an `Http1Connection` over a transport in memory.

import {
  type ExchangeHandler,
  Http1Connection,
} from "../../src/http1/connection.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import {
  DEFAULT_HTTP1_OPTIONS,
  type Http1Options,
} from "../../src/http1/options.ts";
import { bytes, text } from "../_feeding.ts";
import {
  MemoryTransport,
  type Misbehaviour,
} from "../http/_memory_transport.ts";

export {
  ManualDeadline,
  MemoryTransport,
  microtasks,
  type Misbehaviour,
  within,
} from "../http/_memory_transport.ts";

/** A connection that is being served, and what happened on it so far. */
export interface InMemory {
  readonly transport: MemoryTransport;
  readonly connection: Http1Connection;
  /** What `run` does: settles when the connection is closed. */
  readonly done: Promise<unknown>;
  /** The exchanges that were handled, in order. */
  readonly exchanges: readonly Http1Exchange[];
}

/** Serves a connection in memory, with the defaults unless options are given. */
export function serveInMemory(
  handler: ExchangeHandler = echo,
  options: Partial<Http1Options> = {},
  misbehaviour: Misbehaviour = {},
): InMemory {
  const transport = new MemoryTransport(misbehaviour);
  const exchanges: Http1Exchange[] = [];
  const connection = new Http1Connection(transport, (exchange) => {
    exchanges.push(exchange);
    return handler(exchange);
  }, { ...DEFAULT_HTTP1_OPTIONS, dateHeader: false, ...options });
  const done = connection.run();
  done.catch(() => {});
  return { transport, connection, done, exchanges };
}

/**
 * Answers with the method, the path and the content of the request; refuses a
 * request whose content is malformed.
 */
export async function echo(exchange: Http1Exchange): Promise<void> {
  const content = await readContent(exchange);
  if (content === undefined) return;
  const { method, target } = exchange.request;
  await respond(exchange, `${method} ${target.path} ${content}`);
}

/** Reads the content; `undefined` if the request was refused for it. */
export async function readContent(
  exchange: Http1Exchange,
): Promise<string | undefined> {
  let content = "";
  try {
    for (;;) {
      const chunk = await exchange.readBody();
      if (chunk === null) return content;
      content += text(chunk);
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    await exchange.refuse(error.status);
  }
}

/** Answers with 200 and some content of a known length. */
export async function respond(
  exchange: Http1Exchange,
  content: string,
): Promise<void> {
  exchange.head(200, [["content-length", String(content.length)]]);
  await exchange.data(bytes(content), true);
}

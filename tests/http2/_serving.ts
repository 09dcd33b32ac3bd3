// Connections in memory whose handlers are simple.

import { Http2Connection } from "../../src/http2/connection.ts";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { END_TIMEOUT_MS } from "../../src/http2/limits.ts";
import {
  DEFAULT_HTTP2_OPTIONS,
  type Http2Options,
} from "../../src/http2/options.ts";
import { bytes } from "../_feeding.ts";
import {
  type Connected,
  connectInMemory,
  type InMemoryOptions,
} from "./_in_memory.ts";

/** Serves one connection in memory. */
export function serve(
  handle: (exchange: Http2Exchange) => Promise<void>,
  options: Partial<Http2Options> = {},
  inMemory: InMemoryOptions = {},
): Connected<Http2Connection> {
  return connectInMemory(
    (transport) =>
      new Http2Connection(transport, handle, {
        ...DEFAULT_HTTP2_OPTIONS,
        dateHeader: false,
        serverHeader: null,
        ...options,
      }),
    inMemory,
  );
}

/** Answers with text. */
export async function respond(
  exchange: Http2Exchange,
  text: string,
  status = 200,
): Promise<void> {
  exchange.head(status, []);
  await exchange.data(bytes(text), true);
}

/** Answers with the method, the path and the content of the request. */
export async function echo(exchange: Http2Exchange): Promise<void> {
  let content = "";
  for (;;) {
    const chunk = await exchange.readBody();
    if (chunk === null) break;
    content += new TextDecoder("latin1").decode(chunk);
  }
  const { method, target } = exchange.request;
  await respond(exchange, `${method} ${target.path} ${content}`);
}

/** Ends a connection from the client's side, and waits for the server's. */
export async function leave(
  { client, transport, done }: Connected<unknown>,
): Promise<void> {
  client.goAway();
  // Requests that were answered early have some time to end.
  await transport.passTime(END_TIMEOUT_MS + 1);
  await client.closed();
  transport.end();
  await done;
}

/** The same, where the server has said that it ends. */
export async function left(
  { client, transport, done }: Connected<unknown>,
): Promise<void> {
  await client.closed();
  transport.end();
  await done;
}

// A WebSocket opened by hand, for tests that write their own frames.

import { assertEquals } from "@std/assert";
import { type RawClient, webSocketRequest } from "./_raw_client.ts";

/** Offers compression of messages. */
export const OFFERS_DEFLATE =
  "sec-websocket-extensions: permessage-deflate; client_max_window_bits";

/** A client behind its handshake; each field is a line without its CRLF. */
export async function openWebSocket(
  server: { connect(): Promise<RawClient> },
  ...fields: string[]
): Promise<RawClient> {
  const client = await server.connect();
  await client.send(webSocketRequest("/", ...fields));
  assertEquals((await client.readHead()).status, 101);
  return client;
}

// A WebSocket opened by hand, for tests that write their own frames.

import { assertEquals } from "@std/assert";
import { type RawClient, webSocketRequest } from "./_raw_client.ts";

/** Offers compression of messages. */
export const OFFERS_DEFLATE = {
  fields: [
    "sec-websocket-extensions: permessage-deflate; client_max_window_bits",
  ],
};

/** A client after its handshake; each field is a line without its CRLF. */
export async function openWebSocket(
  server: { connect(): Promise<RawClient> },
  { path = "/", fields = [] }: { path?: string; fields?: string[] } = {},
): Promise<RawClient> {
  const client = await server.connect();
  await client.send(webSocketRequest(path, ...fields));
  assertEquals((await client.readHead()).status, 101);
  return client;
}

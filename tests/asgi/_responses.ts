// The events of a response, as an application sends them.

import type { HeaderLike, Send } from "../../src/asgi/types.ts";

/** The largest piece of content that a wire is given at once. */
export const MAX_PIECE = 64 * 1024;

/** Sends the start. */
export function begin(
  send: Send,
  headers: HeaderLike[] = [],
  status = 200,
): Promise<void> {
  return send({ type: "http.response.start", status, headers });
}

/** Sends content that more follows. */
export function more(send: Send, body: string | Uint8Array): Promise<void> {
  return send({ type: "http.response.body", body, more_body: true });
}

/** Sends the last of the content. */
export function last(
  send: Send,
  body: string | Uint8Array = "",
): Promise<void> {
  return send({ type: "http.response.body", body });
}

/**
 * How middleware answers in place of the application.
 *
 * @module
 */

import { respond } from "../asgi/helpers.ts";
import type {
  HeaderLike,
  HttpScope,
  Receive,
  Send,
  WebSocketScope,
} from "../asgi/types.ts";

/** The call of an application that is not made. */
export interface Call {
  readonly scope: HttpScope | WebSocketScope;
  readonly receive: Receive;
  readonly send: Send;
}

/** The response to a request that is refused. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  /** Fields besides the content's own. Default: none. */
  readonly headers?: readonly HeaderLike[];
}

const encoder = new TextEncoder();

/**
 * Refuses a request; a WebSocket is refused with the same response where the
 * server can send one, and else closed, which makes it a 403.
 */
export async function refuse(
  { scope, receive, send }: Call,
  { status, text, headers: more = [] }: Refusal,
): Promise<void> {
  const body = encoder.encode(`${text}\n`);
  const headers: HeaderLike[] = [
    ...more,
    ["content-type", "text/plain; charset=utf-8"],
  ];
  if (scope.type === "http") {
    return await respond(send, status, { headers, body });
  }
  await receive();
  if (scope.extensions["websocket.http.response"] === undefined) {
    return await send({ type: "websocket.close" });
  }
  headers.push(["content-length", String(body.length)]);
  await send({ type: "websocket.http.response.start", status, headers });
  await send({ type: "websocket.http.response.body", body });
}

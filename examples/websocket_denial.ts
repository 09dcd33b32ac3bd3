/**
 * A WebSocket that is denied with a response of one's own: without the token,
 * which is in `$TOKEN` ("secret" by default), a client gets a 401 that says so.
 *
 *     deno run -A examples/websocket_denial.ts
 *     deno eval 'const s = new WebSocket("ws://127.0.0.1:8000/?token=secret"); s.onmessage = ({ data }) => { console.log(data); s.close(); }'
 *     curl -i -H 'connection: upgrade' -H 'upgrade: websocket' -H 'sec-websocket-version: 13' -H 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==' http://127.0.0.1:8000/
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import {
  type AsgiApp,
  headerValue,
  respond,
  type Send,
  serve,
  type WebSocketScope,
} from "jsr:@x/asgi";

/** Lets only those WebSockets through to `app` that come with the token. */
export function withToken(app: AsgiApp, token: string): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "websocket" || isSame(tokenOf(scope), token)) {
      return await app(scope, receive, send);
    }
    await receive();
    if ("websocket.http.response" in scope.extensions) await deny(send);
    else await send({ type: "websocket.close" }); // Which makes it a 403.
  };
}

/** Browsers cannot set fields of a WebSocket, so the query will do as well. */
function tokenOf(scope: WebSocketScope): string {
  const authorization = headerValue(scope, "authorization") ?? "";
  const [, credentials] = /^bearer +(.+)$/i.exec(authorization) ?? [];
  const query = new URLSearchParams(scope.query_string);
  return credentials ?? query.get("token") ?? "";
}

/** Compares in a time that does not depend on how much is the same. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

async function deny(send: Send): Promise<void> {
  const body = new TextEncoder().encode("Come back with the token\n");
  await send({
    type: "websocket.http.response.start",
    status: 401,
    headers: [
      ["www-authenticate", "Bearer"],
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(body.length)],
    ],
  });
  await send({ type: "websocket.http.response.body", body });
}

/** Greets each client that was let through. */
const welcome: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "http") {
    const headers = [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
    ] as const;
    const body = "Only WebSockets are served here\n";
    return await respond(send, 426, { headers, body });
  }
  if (scope.type !== "websocket") {
    throw new TypeError(`Unknown scope ${scope.type}`);
  }
  await receive();
  await send({ type: "websocket.accept" });
  await send({ type: "websocket.send", text: "Welcome" });
  while ((await receive()).type !== "websocket.disconnect");
};

/** Welcomes those who have the token. */
export const app: AsgiApp = withToken(
  welcome,
  Deno.env.get("TOKEN") || "secret",
);

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

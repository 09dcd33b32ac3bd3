/**
 * A guard against cross-site WebSocket hijacking: browsers let any page open a
 * WebSocket to any server, with the user's cookies. The server has to look at
 * the Origin (RFC 6455, section 10.2).
 *
 * @module
 */

import type { AsgiApp, Scope } from "./types.ts";

/**
 * Wraps an application so that WebSockets are opened only from pages of the
 * given origins, such as "https://example.com"; others are denied with a 403.
 * Clients that send no Origin (they are no browsers) are let through. Other
 * scopes pass unchanged.
 *
 * @throws {TypeError} If an origin is not written as browsers send it.
 *
 * @example
 * ```ts
 * import { type AsgiApp, allowedOrigins, serve } from "jsr:@x/asgi";
 *
 * const chat: AsgiApp = async (_scope, _receive, send) => {
 *   await send({ type: "websocket.accept" });
 * };
 * const server = serve(allowedOrigins(chat, ["https://example.com"]), {
 *   port: 0,
 * });
 * await server.shutdown();
 * ```
 */
export function allowedOrigins(
  app: AsgiApp,
  origins: Iterable<string>,
): AsgiApp {
  const allowed = new Set(origins);
  for (const origin of allowed) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new TypeError(`Cannot allow origin: "${origin}" is no origin`);
  }
  return async (scope, receive, send) => {
    if (isAllowed(scope, allowed)) return await app(scope, receive, send);
    await receive();
    await send({ type: "websocket.close" });
  };
}

function isAllowed(scope: Scope, allowed: ReadonlySet<string>): boolean {
  if (scope.type !== "websocket") return true;
  return scope.headers.every(([name, value]) =>
    name !== "origin" || allowed.has(value)
  );
}

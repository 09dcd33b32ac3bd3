/**
 * For applications behind proxies: the scope of a request describes the client's
 * connection to the proxy, and not the proxy's connection to the server.
 *
 * @module
 */

import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import { defaultPort, formatHost, hostOf } from "./_host.ts";
import { withPrefix } from "./_prefix.ts";
import {
  type ForwardedOptions,
  ForwardedReader,
  type Origin,
} from "./forwarded_fields.ts";

/**
 * Wraps an application that is behind proxies: `X-Forwarded-*` or Forwarded
 * (RFC 7239), from trusted peers only, change `client`, `scheme`, the field
 * `host` with `server`, and `root_path` with `path`. With an empty `trust`
 * nothing is changed, ever.
 *
 * The client is the first address, from the right, that is not trusted; one
 * that was not named, or cannot be read, has the host "unknown".
 *
 * @throws {TypeError} If an entry of `trust` or `fields` is wrong.
 * @throws {RangeError} If a range in `trust` has a wrong length.
 *
 * @example
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 * import { forwarded } from "jsr:@x/asgi/middleware";
 *
 * const app = forwarded(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello ${scope.client?.[0]}` });
 * }, { trust: ["127.0.0.1", "10.0.0.0/8"] });
 * const server = serve(app, { port: 0 });
 * await server.shutdown();
 * ```
 */
export function forwarded(app: AsgiApp, options: ForwardedOptions): AsgiApp {
  const reader = new ForwardedReader(options);
  if (reader.trustsNobody) return app;
  return (scope, receive, send) => {
    if (scope.type === "lifespan") return app(scope, receive, send);
    const origin = reader.read(scope, scope.headers);
    const seen = origin === undefined ? scope : withOrigin(scope, origin);
    return app(seen, receive, send);
  };
}

/** A copy of a scope with what proxies said of the client's connection. */
function withOrigin(
  scope: HttpScope | WebSocketScope,
  { client, secure, host, port, prefix }: Origin,
): HttpScope | WebSocketScope {
  const copy = prefix === undefined ? { ...scope } : withPrefix(scope, prefix);
  if (client !== undefined) copy.client = client;
  if (secure !== undefined) setScheme(copy, secure);
  if (host !== undefined || port !== undefined) setHost(copy, { host, port });
  return copy;
}

function setScheme(scope: HttpScope | WebSocketScope, secure: boolean): void {
  if (scope.type === "http") scope.scheme = secure ? "https" : "http";
  else scope.scheme = secure ? "wss" : "ws";
}

function setHost(
  scope: HttpScope | WebSocketScope,
  { host, port: givenPort }: Pick<Origin, "host" | "port">,
): void {
  const name = (host ?? hostOf(scope))?.name;
  if (name === undefined) return;
  const secure = scope.scheme === "https" || scope.scheme === "wss";
  const port = givenPort ?? host?.port;
  scope.headers = [
    ["host", formatHost({ name, port }, secure)],
    ...scope.headers.filter(([name]) => name !== "host"),
  ];
  const address = name.replace(/^\[|\]$/g, "");
  scope.server = [address, port ?? defaultPort(secure)];
}

/**
 * Sends clients that came without TLS to where there is TLS.
 *
 * @module
 */

import { decodePath } from "../asgi/http_scope.ts";
import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import { formatHost, hostOf } from "./_host.ts";
import { refuse } from "./_refusal.ts";

/** How clients are redirected. */
export interface HttpsRedirectOptions {
  /** The status: 308 and 307 keep the method, 301 and 302 need not. Default: 308. */
  status?: 301 | 302 | 307 | 308;
  /** The port for TLS. Default: 443. */
  port?: number;
}

/**
 * Wraps an application so that requests without TLS are redirected to the same
 * URL with `https`, and WebSockets to that with `wss`. The host is the one that
 * the request was for: put {@linkcode allowedHosts} around it.
 *
 * Behind a proxy that speaks TLS, {@linkcode forwarded} must be around it, or
 * the redirects never end.
 *
 * @throws {RangeError} If the status is none of these, or the port no port.
 */
export function httpsRedirect(
  app: AsgiApp,
  { status = 308, port = 443 }: HttpsRedirectOptions = {},
): AsgiApp {
  if (![301, 302, 307, 308].includes(status)) {
    throw new RangeError(`Cannot redirect with status ${status}`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`Cannot redirect to port ${port}`);
  }
  return (scope, receive, send) => {
    if (scope.type === "lifespan" || isSecure(scope)) {
      return app(scope, receive, send);
    }
    const location = secureUrl(scope, port);
    return refuse(
      { scope, receive, send },
      location === undefined ? { status: 400, text: "A host is needed" } : {
        status,
        text: `See ${location}`,
        headers: [["location", location]],
      },
    );
  };
}

function isSecure({ scheme }: HttpScope | WebSocketScope): boolean {
  return scheme === "https" || scheme === "wss";
}

function secureUrl(
  scope: HttpScope | WebSocketScope,
  port: number,
): string | undefined {
  const host = hostOf(scope);
  if (host === undefined) return undefined;
  const scheme = scope.type === "http" ? "https" : "wss";
  const query = scope.query_string === "" ? "" : `?${scope.query_string}`;
  const authority = formatHost({ name: host.name, port }, true);
  return `${scheme}://${authority}${clientPath(scope)}${query}`;
}

/** The path as the client wrote it: with what a proxy took off, still encoded. */
function clientPath({ path, raw_path }: HttpScope | WebSocketScope): string {
  if (!raw_path.startsWith("/")) return "/";
  const decoded = decodePath(raw_path);
  const taken = path.endsWith(decoded)
    ? path.slice(0, path.length - decoded.length)
    : "";
  return encodeURI(taken) + raw_path;
}

/**
 * Makes the scope of a `Request`.
 *
 * @module
 */

import { httpScope, webSocketScope } from "../asgi/http_scope.ts";
import type { HostPort, HttpScope, WebSocketScope } from "../asgi/types.ts";
import { type Field, listsToken } from "../http/fields.ts";

/** The scheme, the authority, the path, and the query after its "?". */
const URL_PARTS = /^([a-z]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;
/** The host and the port. */
const AUTHORITY = /^(.*?)(?::(\d*))?$/;

/**
 * The scope of a request. It offers no extension that needs more than a
 * `Response`.
 */
export function requestScope(
  request: Request,
  info: object | undefined,
): HttpScope {
  const parts = partsOf(request);
  const scope = httpScope(
    requestInfo(request, parts),
    connectionInfo(parts, info),
  );
  return { ...scope, extensions: { "http.response.zerocopysend": {} } };
}

/** The scope of a request that asks for a WebSocket. */
export function webSocketRequestScope(
  request: Request,
  info: object | undefined,
): WebSocketScope {
  const parts = partsOf(request);
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  const subprotocols = offered.split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  return webSocketScope(
    requestInfo(request, parts),
    connectionInfo(parts, info),
    subprotocols,
  );
}

/** Whether a request asks for a WebSocket. */
export function isHandshake({ method, headers }: Request): boolean {
  const upgrade = headers.get("upgrade");
  return method === "GET" && upgrade !== null &&
    listsToken(upgrade, "websocket");
}

/** What a request's URL says, taken apart as it is written. */
interface UrlParts {
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

/** A parser of URLs would bring the path into a normal form. */
function partsOf({ url }: Request): UrlParts {
  const [, scheme, authority = "", path, query = ""] = URL_PARTS.exec(url) ??
    [];
  return {
    scheme: scheme?.toLowerCase() === "https" ? "https" : "http",
    authority,
    path: path || "/",
    query,
  };
}

function requestInfo({ method, headers }: Request, parts: UrlParts) {
  const target = { path: parts.path, query: parts.query };
  const fields: Field[] = [...headers];
  // Runtimes may leave it out.
  if (!headers.has("host")) fields.unshift(["host", parts.authority]);
  return {
    version: "1.1",
    // `Request` leaves methods such as "patch" as they are.
    method: method.toUpperCase(),
    target,
    headers: fields,
  } as const;
}

function connectionInfo(
  { scheme, authority }: UrlParts,
  info: object | undefined,
) {
  const client = clientOf(info);
  return { scheme, client, server: serverOf(scheme, authority) } as const;
}

function serverOf(scheme: string, authority: string): HostPort {
  const [, host, port] = AUTHORITY.exec(authority)!;
  const standardPort = scheme === "https" ? 443 : 80;
  return [host.replace(/^\[|\]$/g, ""), Number(port || standardPort)];
}

function clientOf(info: object | undefined): HostPort | null {
  const { remoteAddr } = (info ?? {}) as { remoteAddr?: unknown };
  const { hostname, port } = (remoteAddr ?? {}) as Record<string, unknown>;
  return typeof hostname === "string" && typeof port === "number"
    ? [hostname, port]
    : null;
}

/**
 * Makes the `Request` of a scope, as a server's handlers get it.
 *
 * @module
 */

import { decodePath } from "../asgi/http_scope.ts";
import type { HttpScope, WebSocketScope } from "../asgi/types.ts";
import type { RequestEvents } from "./_request_events.ts";

type RequestScope = HttpScope | WebSocketScope;

/** Methods that no `Request` can have. */
const FORBIDDEN_METHODS = ["CONNECT", "TRACE", "TRACK"];

/**
 * A request whose URL is what the client has asked for. That of a plain
 * `Request` is brought into a normal form: a path "/a/../b" becomes "/b".
 */
export class ServerRequest extends Request {
  readonly #url: string;

  private constructor(url: string, input: string | Request, init: RequestInit) {
    super(input, init);
    this.#url = url;
  }

  /** The request of a scope; the status to refuse it with, if there is none. */
  static from(scope: RequestScope, events: RequestEvents):
    | ServerRequest
    | number {
    const method = scope.type === "http" ? scope.method : "GET";
    const url = urlOf(scope);
    if (FORBIDDEN_METHODS.includes(method)) return 501;
    if (!URL.canParse(url)) return 400;
    const bodyless = method === "GET" || method === "HEAD";
    return new ServerRequest(url, url, {
      method,
      headers: headersOf(scope),
      body: bodyless ? null : events.body(),
      signal: events.signal,
      redirect: "manual",
      // Not in every version of the types; needed for a body that is a stream.
      ...{ duplex: "half" },
    });
  }

  /** The URL that was asked for, as it came. */
  override get url(): string {
    return this.#url;
  }

  /** A copy, with a copy of the body. */
  override clone(): Request {
    return new ServerRequest(this.#url, super.clone(), {});
  }
}

function urlOf(scope: RequestScope): string {
  const scheme = scope.scheme === "https" || scope.scheme === "wss"
    ? "https"
    : "http";
  const path = pathOf(scope);
  const query = scope.query_string === "" ? "" : `?${scope.query_string}`;
  const slash = path.startsWith("/") ? "" : "/";
  return `${scheme}://${authorityOf(scope)}${slash}${path}${query}`;
}

function authorityOf({ headers, server }: RequestScope): string {
  const host = headers.find(([name]) => name === "host")?.[1];
  if (host) return host;
  if (server === null || server[1] === null) return "localhost";
  const name = server[0].includes(":") ? `[${server[0]}]` : server[0];
  return `${name}:${server[1]}`;
}

/**
 * The path, escaped: as it came, as far as it is that of the scope. The root
 * path may be missing from it, and middleware may have changed the scope's.
 */
function pathOf({ path, raw_path, root_path }: RequestScope): string {
  const decoded = decodePath(raw_path);
  if (decoded === path) return raw_path;
  if (root_path + decoded === path) return encodePath(root_path) + raw_path;
  return encodePath(path);
}

function encodePath(path: string): string {
  return encodeURI(path.toWellFormed())
    .replaceAll("?", "%3F")
    .replaceAll("#", "%23");
}

/** Repeated fields are joined; cookies as RFC 6265, section 5.4, writes them. */
function headersOf(scope: RequestScope): Headers {
  const headers = new Headers();
  const cookies: string[] = [];
  for (const [name, value] of scope.headers) {
    if (name === "cookie") cookies.push(value);
    else headers.append(name, value);
  }
  if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
  return headers;
}

/**
 * From what a test asks for to the request that a server would have read.
 *
 * @module
 */

import {
  type ConnectionInfo,
  httpScope,
  type ScopedRequest,
  webSocketScope,
  type WireAbilities,
} from "../asgi/http_scope.ts";
import type {
  Extensions,
  Header,
  HostPort,
  HttpScope,
  WebSocketScope,
} from "../asgi/types.ts";
import {
  type Field,
  fieldName,
  isFieldValue,
  isToken,
} from "../http/fields.ts";
import type { RequestContent } from "./_request_content.ts";

/** What a request's scope says besides the request itself. */
export interface ScopeOptions {
  /** The client's address; `null` for none. Default: ["127.0.0.1", 50000]. */
  readonly client?: Readonly<HostPort> | null;
  /** The scheme of paths; a URL has its own. Default: "http". */
  readonly scheme?: "http" | "https";
  /** The version of HTTP. Default: "1.1". */
  readonly httpVersion?: "1.0" | "1.1" | "2" | "3";
  /** Where the application is mounted; paths should begin with it. Default: "". */
  readonly rootPath?: string;
  /**
   * More extensions; one that is `undefined` is taken away, although its events
   * are still understood. Early hints over HTTP/1.1 are offered if they are
   * among these. Default: those of the server.
   */
  readonly extensions?: Extensions;
}

/** The fields of a request; a list of pairs keeps order and repetitions. */
export type HeadersLike =
  | Headers
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string>>;

/** A request as a test describes it. */
export interface RequestParts extends ScopeOptions {
  readonly method?: string;
  readonly headers?: HeadersLike;
}

/** A request as the server knows it, and what its wire can do. */
export interface BuiltRequest extends WireAbilities {
  readonly info: ScopedRequest;
  readonly connection: ConnectionInfo;
}

const EARLY_HINT = "http.response.early_hint";
const HOST = "localhost";
const CLIENT: HostPort = ["127.0.0.1", 50_000];

/** The fields of a handshake; the key is not checked. */
const HANDSHAKE: readonly Field[] = [
  ["connection", "Upgrade"],
  ["upgrade", "websocket"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="],
];

/**
 * Makes a request with content.
 *
 * @throws {TypeError} If the target, the method or a field is malformed.
 */
export function buildRequest(
  target: string | URL,
  parts: RequestParts,
  content: RequestContent,
): BuiltRequest {
  const { method = "GET", httpVersion = "1.1" } = parts;
  if (!isToken(method)) {
    throw new TypeError(`Cannot make request: "${method}" is no method`);
  }
  return build(target, parts, method.toUpperCase(), (names) => {
    if (names.has("content-length") || names.has("transfer-encoding")) {
      return [];
    }
    if (content.length === 0) return [];
    if (content.length !== undefined) {
      return [["content-length", String(content.length)]];
    }
    if (httpVersion === "1.1") return [["transfer-encoding", "chunked"]];
    if (httpVersion !== "1.0") return [];
    throw new TypeError(
      "Cannot make request: a stream needs a content-length on HTTP/1.0",
    );
  });
}

/**
 * Makes the handshake of a WebSocket.
 *
 * @throws {TypeError} If the target, a field or a subprotocol is malformed.
 */
export function buildHandshake(
  target: string | URL,
  parts: RequestParts,
  subprotocols: readonly string[],
): BuiltRequest {
  const { httpVersion = "1.1" } = parts;
  if (httpVersion === "1.0") {
    throw new TypeError("Cannot open WebSocket: HTTP/1.0 carries none");
  }
  const unique = new Set(subprotocols).size === subprotocols.length;
  if (!unique || !subprotocols.every(isToken)) {
    throw new TypeError(
      `Cannot open WebSocket: "${subprotocols}" are no different tokens`,
    );
  }
  const offer: Field[] = subprotocols.length === 0
    ? []
    : [["sec-websocket-protocol", subprotocols.join(", ")]];
  const handshake = httpVersion === "1.1" ? HANDSHAKE : [];
  return build(target, parts, "GET", () => [...handshake, ...offer]);
}

/** The scope of a request. */
export function httpScopeOf(request: BuiltRequest): HttpScope {
  return httpScope(request.info, request.connection, request);
}

/** The scope of a WebSocket. */
export function webSocketScopeOf(
  { info, connection }: BuiltRequest,
  subprotocols: readonly string[],
): WebSocketScope {
  return webSocketScope(info, connection, subprotocols);
}

/** Changes a scope in place to what a test wants it to say. */
export function adjustScope<AnyScope extends HttpScope | WebSocketScope>(
  scope: AnyScope,
  { rootPath = "", extensions = {} }: ScopeOptions,
): AnyScope {
  scope.root_path = rootPath;
  for (const [name, settings] of Object.entries(extensions)) {
    if (settings === undefined) delete scope.extensions[name];
    else scope.extensions[name] = settings;
  }
  return scope;
}

function build(
  target: string | URL,
  parts: RequestParts,
  method: string,
  moreFields: (names: ReadonlySet<string>) => readonly Field[],
): BuiltRequest {
  const { client = CLIENT, httpVersion = "1.1", extensions = {} } = parts;
  const { scheme, host, path, query } = locate(target, parts.scheme);
  const given = fieldsOf(parts.headers ?? []);
  const names = new Set(given.map(([name]) => name));
  const headers: Field[] = [...given, ...moreFields(names)];
  if (!names.has("host")) headers.unshift(["host", host]);
  return {
    info: { version: httpVersion, method, target: { path, query }, headers },
    connection: { scheme, client, server: serverOf(host, scheme) },
    // Over HTTP/1 a server offers them only if it is asked to.
    earlyHints: !httpVersion.startsWith("1") || EARLY_HINT in extensions,
  };
}

interface Location {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

/** A path is taken as it is, but for what no request can hold unescaped. */
function locate(
  target: string | URL,
  scheme: "http" | "https" = "http",
): Location {
  const text = String(target);
  if (text.startsWith("/")) {
    return { scheme, host: HOST, ...splitQuery(escape(text)) };
  }
  const url = URL.parse(text);
  const [, secure] = /^(?:http|ws)(s?):$/.exec(url?.protocol ?? "") ?? [];
  if (url === null || secure === undefined) {
    throw new TypeError(
      `Cannot make request: "${text}" is neither a path nor a URL of HTTP`,
    );
  }
  return {
    scheme: secure === "s" ? "https" : "http",
    host: url.host,
    path: url.pathname,
    query: url.search.slice(1),
  };
}

function escape(path: string): string {
  return path.replace(/#.*$/s, "").toWellFormed()
    .replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent);
}

function splitQuery(target: string): { path: string; query: string } {
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: "" };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function serverOf(host: string, scheme: "http" | "https"): HostPort {
  const { hostname, port } = new URL(`${scheme}://${host}`);
  return [hostname, Number(port) || (scheme === "https" ? 443 : 80)];
}

function fieldsOf(headers: HeadersLike): Header[] {
  const pairs = Symbol.iterator in headers ? headers : Object.entries(headers);
  return Array.from(
    pairs as Iterable<readonly [string, string]>,
    ([name, value]) => fieldOf(String(name), String(value)),
  );
}

function fieldOf(name: string, value: string): Header {
  const lowerName = fieldName(name);
  if (lowerName === undefined) {
    throw new TypeError(
      `Cannot make request: the field name "${name}" is no token`,
    );
  }
  if (!isFieldValue(value)) {
    throw new TypeError(
      `Cannot make request: the value of ${lowerName} is no byte string without controls`,
    );
  }
  return [lowerName, value];
}

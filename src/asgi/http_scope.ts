/**
 * The scopes of HTTP requests and of WebSockets (ASGI HTTP 2.5).
 *
 * @module
 */

import type { RequestInfo } from "../http/exchange.ts";
import type {
  Extensions,
  Header,
  HostPort,
  HttpScope,
  TlsExtension,
  WebSocketScope,
} from "./types.ts";

/** What a scope says of a request. */
export type ScopedRequest = Omit<RequestInfo, "protocol">;

/** What is known of the connection that a request came by. */
export interface ConnectionInfo {
  readonly scheme: "http" | "https";
  readonly client: Readonly<HostPort> | null;
  readonly server: Readonly<HostPort> | readonly [string, null] | null;
  /** Shared by all scopes: it must be frozen. */
  readonly tls?: TlsExtension | undefined;
}

/** What a wire can do for a response that not every wire can. */
export interface WireAbilities {
  /** Whether early hints can be sent. */
  readonly earlyHints: boolean;
}

/**
 * Makes the scope of a request; nothing in it is shared with another scope.
 * What its wire can do is offered as extensions.
 */
export function httpScope(
  request: ScopedRequest,
  connection: ConnectionInfo,
  wire: WireAbilities = NO_ABILITIES,
): HttpScope {
  const { version, method, target, headers } = request;
  const { scheme, client, server, tls } = connection;
  return {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: version,
    method,
    scheme,
    path: decodePath(target.path),
    raw_path: target.path,
    query_string: target.query,
    root_path: "",
    headers: headers as Header[],
    client: client === null ? null : [client[0], client[1]],
    server: server === null ? null : [server[0], server[1]] as HostPort,
    extensions: httpExtensions(version, wire, tls),
  };
}

/** Nobody can change it, so that scopes may share it. */
const NO_SETTINGS = Object.freeze({});
const NO_ABILITIES: WireAbilities = { earlyHints: false };

function httpExtensions(
  version: string,
  { earlyHints }: WireAbilities,
  tls: TlsExtension | undefined,
): Extensions {
  const extensions: Extensions = {
    "http.response.pathsend": NO_SETTINGS,
    "http.response.zerocopysend": NO_SETTINGS,
  };
  if (version !== "1.0") extensions["http.response.trailers"] = NO_SETTINGS;
  if (earlyHints) extensions["http.response.early_hint"] = NO_SETTINGS;
  if (tls !== undefined) extensions.tls = tls;
  return extensions;
}

/** Makes the scope of a WebSocket that asks for one of `subprotocols`. */
export function webSocketScope(
  request: ScopedRequest,
  connection: ConnectionInfo,
  subprotocols: readonly string[],
): WebSocketScope {
  const { method: _, ...scope } = httpScope(request, connection);
  const { tls } = connection;
  return {
    ...scope,
    type: "websocket",
    scheme: connection.scheme === "https" ? "wss" : "ws",
    subprotocols: [...subprotocols],
    extensions: {
      "websocket.http.response": NO_SETTINGS,
      ...tls === undefined ? {} : { tls },
    },
  };
}

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes percent escapes as UTF-8; what is no UTF-8 becomes U+FFFD, and what
 * is no escape stays as it is.
 */
export function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(ESCAPES, (escapes) => {
    const codes = escapes.split("%").slice(1);
    return decoder.decode(
      Uint8Array.from(codes, (code) => Number.parseInt(code, 16)),
    );
  });
}

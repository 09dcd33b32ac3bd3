/**
 * What applications get to know of a connection.
 *
 * @module
 */

import type { ConnectionInfo } from "../asgi/http_scope.ts";
import type { HostPort, TlsExtension } from "../asgi/types.ts";
import type { Connection } from "../net/connection.ts";
import { plainAddress, type ServerAddress } from "../net/listener_address.ts";
import type { TlsParameters } from "../net/tls_parameters.ts";

/** What is known of a connection that was accepted at `listener`. */
export function connectionInfo(
  { remoteAddr, localAddr, tls }: ConnectionFacts,
  listener: ServerAddress,
): ConnectionInfo {
  const secure = listener.transport === "tcp" && listener.secure;
  return {
    scheme: secure ? "https" : "http",
    client: hostPort(remoteAddr),
    server: hostPort(localAddr) ?? unixPath(localAddr),
    tls: tls && tlsExtension(tls),
  };
}

/** What a connection knows of itself. */
type ConnectionFacts = Pick<Connection, "remoteAddr" | "localAddr" | "tls">;

/** Clients are not asked for certificates. */
function tlsExtension(
  { serverCert, version, cipherSuite }: TlsParameters,
): TlsExtension {
  return Object.freeze({
    server_cert: serverCert,
    client_cert_chain: Object.freeze([]),
    client_cert_name: null,
    client_cert_error: null,
    tls_version: version,
    cipher_suite: cipherSuite,
  });
}

/** Behind a proxy, it may be the path of a socket even on a TCP listener. */
function unixPath(address: Deno.Addr): [string, null] | null {
  return "path" in address ? [address.path, null] : null;
}

function hostPort(address: Deno.Addr): HostPort | null {
  if (!("hostname" in address)) return null;
  return [plainAddress(address.hostname), address.port];
}

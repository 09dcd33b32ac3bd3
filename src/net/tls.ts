/**
 * The two ways to serve TLS. The one is that of Deno: a listener for TLS, whose
 * connections are accepted before their handshake. The other is that of Node, on
 * connections of a plain listener: it costs more, and lets small writes leave at
 * once.
 *
 * @module
 */

import type { CertifiedKey } from "./certified_key.ts";
import type { SocketConn } from "./connection.ts";
import type { TlsSettings } from "./tls_settings.ts";
import type { TlsTerminator } from "./tls_socket.ts";

/**
 * The handshake of a connection that a listener for TLS accepted.
 *
 * @returns The connection, with the protocol that ALPN has chosen.
 */
export async function handshakeTls(conn: SocketConn): Promise<SocketConn> {
  const { alpnProtocol } = await (conn as Deno.TlsConn).handshake();
  // It has no `setNoDelay`.
  return Object.assign(conn, { alpnProtocol, delaysWrites: true });
}

/** Loads what performs handshakes on the connections of a plain listener. */
export async function loadTerminator(
  certifiedKey: CertifiedKey,
  settings: TlsSettings,
): Promise<TlsTerminator> {
  const { TlsTerminator } = await import("./tls_socket.ts");
  return new TlsTerminator(certifiedKey, settings);
}

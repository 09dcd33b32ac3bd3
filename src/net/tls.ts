/**
 * TLS as Deno does it: its listener accepts connections before their handshake.
 *
 * @module
 */

import type { CertifiedKey } from "./certified_key.ts";

/** What binds a TCP address. */
export interface TcpSocketOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tcpBacklog: number;
  readonly reusePort: boolean;
}

/** Binds a TCP address for TLS at once. */
export function listenTls(
  socket: TcpSocketOptions,
  { cert, key }: CertifiedKey,
  alpn: readonly string[],
): Deno.TlsListener {
  return Deno.listenTls({ ...socket, cert, key, alpnProtocols: [...alpn] });
}

/** The handshake of a connection that such a listener accepted. */
export async function handshakeTls(conn: Deno.Conn): Promise<Deno.Conn> {
  await (conn as Deno.TlsConn).handshake();
  return conn;
}

/**
 * The address of a listener, as people and clients write it.
 *
 * @module
 */

/** A TCP address that a server listens on. */
export interface TcpAddress {
  /** The kind of listener. */
  readonly transport: "tcp";
  /** The address that is bound. */
  readonly hostname: string;
  /** The port that is bound, also where port 0 was asked for. */
  readonly port: number;
  /** Whether it speaks TLS. */
  readonly secure: boolean;
}

/** A unix socket that a server listens on. */
export interface UnixAddress {
  /** The kind of listener. */
  readonly transport: "unix";
  /** The path of the socket's file. */
  readonly path: string;
}

/** Where a server listens, once it does. */
export type ServerAddress = TcpAddress | UnixAddress;

/** IPv4 peers of a dual-stack listener get their IPv4 address back. */
export function plainAddress(hostname: string): string {
  return hostname.replace(/^::ffff:(?=[0-9.]+$)/, "");
}

/** An address under which a wildcard address can be reached. */
export function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

/**
 * A URL under which it can be reached from this machine; that of a unix socket
 * is `unix:` and its path.
 */
export function urlOf(address: ServerAddress): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  return boundUrl({ ...address, hostname: reachable(address.hostname) });
}

/**
 * Where a server listens, for people: the URL as it is bound, and where that URL
 * cannot be opened, another that can. `path` is appended to both.
 */
export function describeAddress(address: ServerAddress, path = ""): string {
  const url = urlOf(address) + path;
  if (address.transport === "unix") return url;
  const bound = boundUrl(address) + path;
  return bound === url ? url : `${bound} (try ${url})`;
}

function boundUrl(
  { hostname, port, secure }: TcpAddress,
): string {
  const scheme = secure ? "https" : "http";
  return `${scheme}://${formatAuthority(hostname, port)}/`;
}

/** An address as it stands in a URL. */
export function formatAuthority(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/**
 * The address of a listener, as people and clients write it.
 *
 * @module
 */

/** What is listened on. */
export type ListenerAddress =
  | {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
    readonly secure: boolean;
  }
  | { readonly transport: "unix"; readonly path: string };

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
export function urlOf(address: ListenerAddress): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  return boundUrl({ ...address, hostname: reachable(address.hostname) });
}

/**
 * What is listened on, for people: its URL as it is bound. Where that is no
 * URL to open, one that is follows. `path` is put behind both.
 */
export function describeAddress(address: ListenerAddress, path = ""): string {
  const url = urlOf(address) + path;
  if (address.transport === "unix") return url;
  const bound = boundUrl(address) + path;
  return bound === url ? url : `${bound} (try ${url})`;
}

function boundUrl(
  { hostname, port, secure }: ListenerAddress & { transport: "tcp" },
): string {
  const scheme = secure ? "https" : "http";
  return `${scheme}://${formatAddress(hostname, port)}/`;
}

/** An address as it stands in a URL. */
export function formatAddress(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

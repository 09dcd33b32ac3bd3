/**
 * Where to listen, as one text: `http://127.0.0.1:8000`, `https://[::]:8443` or
 * `unix:/run/app.sock`.
 *
 * @module
 */

import type { ServerAddress, TcpAddress } from "../net/listener_address.ts";

/** A TCP address, such as `127.0.0.1:9090` or `[::1]:9090`. */
export type Endpoint = Pick<TcpAddress, "hostname" | "port">;

/** What an error message says that it must be. */
export const LISTEN_ADDRESS_EXPECTED =
  "http://HOST:PORT, https://HOST:PORT or unix:PATH";

/** Reads one; `undefined` if the text is none. */
export function parseListenAddress(text: string): ServerAddress | undefined {
  const [, path] = /^unix:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) return { transport: "unix", path };
  // A URL would drop a port that is its scheme's own, and change some hosts.
  const [, scheme, bracketed, plain, port] =
    /^(https?):\/\/(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})\/?$/i
      .exec(text) ?? [];
  if (scheme === undefined || Number(port) > 65_535) return undefined;
  return {
    transport: "tcp",
    hostname: bracketed ?? plain,
    port: Number(port),
    secure: scheme.toLowerCase() === "https",
  };
}

/** Reads a TCP address; `undefined` if the text is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const address = parseListenAddress(`http://${text}`);
  if (address?.transport !== "tcp" || text.endsWith("/")) return undefined;
  const { hostname, port } = address;
  return { hostname, port };
}

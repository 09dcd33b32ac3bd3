/**
 * Where to listen, as one text: `http://127.0.0.1:8000`, `https://[::]:8443` or
 * `unix:/run/app.sock`.
 *
 * @module
 */

/** What such a text says. */
export type ListenAddress =
  | {
    readonly type: "tcp";
    readonly hostname: string;
    readonly port: number;
    readonly secure: boolean;
  }
  | { readonly type: "unix"; readonly path: string };

/** A TCP address, such as `127.0.0.1:9090` or `[::1]:9090`. */
export interface HostPort {
  /** The address, or a name of one. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** What an error message says that it must be. */
export const LISTEN_ADDRESS_EXPECTED =
  "http://HOST:PORT, https://HOST:PORT or unix:PATH";

/** Reads one; `undefined` if the text is none. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, path] = /^unix:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) return { type: "unix", path };
  // A URL would drop a port that is its scheme's own, and change some hosts.
  const [, scheme, bracketed, plain, port] =
    /^(https?):\/\/(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})\/?$/i
      .exec(text) ?? [];
  if (scheme === undefined || Number(port) > 65_535) return undefined;
  return {
    type: "tcp",
    hostname: bracketed ?? plain,
    port: Number(port),
    secure: scheme.toLowerCase() === "https",
  };
}

/** Reads a TCP address; `undefined` if the text is none. */
export function parseHostPort(text: string): HostPort | undefined {
  const address = parseListenAddress(`http://${text}`);
  if (address?.type !== "tcp" || text.endsWith("/")) return undefined;
  const { hostname, port } = address;
  return { hostname, port };
}

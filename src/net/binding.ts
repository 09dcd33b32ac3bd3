/**
 * Binds the addresses that a server listens on. An error says which one could
 * not be bound.
 *
 * @module
 */

import type { AddressSet } from "./addresses.ts";
import { type CertifiedKey, restate } from "./certified_key.ts";
import { formatAuthority } from "./listener_address.ts";
import type { QuicSettings } from "./quic_settings.ts";
import type { TlsSettings } from "./tls_settings.ts";
import { listenUnix, type UnixSocketOptions } from "./unix_socket.ts";

/** What to listen on. */
export type ListenerTarget =
  & (
    | ({ readonly transport: "unix" } & UnixSocketOptions)
    | {
      readonly transport: "tcp";
      readonly hostname: string;
      readonly port: number;
      readonly tls?: TlsSettings;
      /** What is served by QUIC besides, with the same certificate. */
      readonly http3?: QuicSettings;
    }
  )
  & {
    /** Peers whose connections begin with a PROXY protocol header. */
    readonly proxies?: AddressSet;
  };

/** How to listen on it. */
export interface ListenerOptions {
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
  /** Whether other sockets may listen on the same port. */
  readonly reusePort: boolean;
}

/** How often both ports are tried, if one may be chosen. */
const PORT_ATTEMPTS = 20;

/** What an error names. */
type Named =
  | { readonly transport: "unix"; readonly path: string }
  | {
    readonly transport: "tcp" | "udp";
    readonly hostname: string;
    readonly port: number;
  };

/**
 * Binds an address at once; `certifiedKey` is that of one for TLS.
 *
 * @throws {TypeError} On a runtime without `Deno`.
 * @throws {Deno.errors.AddrInUse} If it is taken; the message says which.
 * @throws {Deno.errors.NotSupported} If `reusePort` is asked for without Deno's
 * flag `--unstable-net`.
 */
export function bind(
  target: ListenerTarget,
  options: ListenerOptions,
  certifiedKey: CertifiedKey | undefined,
): Deno.Listener {
  checkRuntime();
  if (options.reusePort) checkReusePort();
  return naming(target, () => {
    if (target.transport === "unix") return listenUnix(target);
    const { hostname, port, tls } = target;
    const { backlog: tcpBacklog, reusePort } = options;
    const socket = { hostname, port, tcpBacklog, reusePort };
    if (tls === undefined || tls.noDelay) {
      return Deno.listen({ ...socket, transport: "tcp" });
    }
    const alpnProtocols = [...tls.alpn];
    return Deno.listenTls({ ...socket, ...certifiedKey!, alpnProtocols });
  });
}

/**
 * Binds the UDP port of the same number as a TCP port. For port 0, which takes a
 * TCP port that is free, both are bound anew if its UDP port is not.
 *
 * @throws {Deno.errors.AddrInUse} If one of them is taken; the message says
 * which.
 * @throws {Deno.errors.NotSupported} Without Deno's flag `--unstable-net`.
 */
export function bindQuic(
  { port }: { readonly port: number },
  bindTcp: () => Deno.Listener,
): { readonly socket: Deno.Listener; readonly endpoint: Deno.QuicEndpoint } {
  checkQuic();
  for (let attempts = port === 0 ? PORT_ATTEMPTS : 1;; attempts--) {
    const socket = bindTcp();
    try {
      return { socket, endpoint: bindEndpoint(socket.addr as Deno.NetAddr) };
    } catch (error) {
      socket.close();
      const isTaken = error instanceof Deno.errors.AddrInUse;
      if (!isTaken || attempts <= 1) throw error;
    }
  }
}

function bindEndpoint({ hostname, port }: Deno.NetAddr): Deno.QuicEndpoint {
  const target = { transport: "udp", hostname, port } as const;
  return naming(target, () => new Deno.QuicEndpoint({ hostname, port }));
}

/** The rest of the package works elsewhere: only sockets need Deno. */
function checkRuntime(): void {
  if ("Deno" in globalThis) return;
  throw new TypeError(
    "Cannot serve: listening needs Deno; elsewhere, use toFetch of @x/asgi/fetch",
  );
}

/** Deno would end the process, and nothing could be done about it. */
function checkReusePort(): void {
  if ("listenDatagram" in Deno) return;
  throw new Deno.errors.NotSupported(
    'Cannot serve: option "reusePort" needs Deno\'s flag --unstable-net',
  );
}

function checkQuic(): void {
  if ("QuicEndpoint" in Deno) return;
  throw new Deno.errors.NotSupported(
    'Cannot serve: option "http3" needs Deno\'s flag --unstable-net',
  );
}

/** Binds; an error says what could not be bound. */
function naming<T>(target: Named, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    const name = nameOf(target);
    throw restate(error, (reason) => {
      const known = error instanceof Deno.errors.AddrInUse &&
        target.transport !== "unix";
      return `Cannot listen on ${name}: ${
        known ? "the address is already in use" : reason
      }`;
    });
  }
}

function nameOf(target: Named): string {
  if (target.transport === "unix") return target.path;
  const authority = formatAuthority(target.hostname, target.port);
  return target.transport === "udp" ? `${authority} (UDP)` : authority;
}

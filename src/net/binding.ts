/**
 * Binds the addresses that a server listens on. An error says which one could
 * not be bound.
 *
 * @module
 */

import type { AddressSet } from "./addresses.ts";
import { type CertifiedKey, restate } from "./certified_key.ts";
import { formatAuthority } from "./listener_address.ts";
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

/** Binds; an error says what could not be bound. */
function naming<T>(target: ListenerTarget, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    const name = target.transport === "unix"
      ? target.path
      : formatAuthority(target.hostname, target.port);
    throw restate(error, (reason) => {
      const known = error instanceof Deno.errors.AddrInUse &&
        target.transport === "tcp";
      return `Cannot listen on ${name}: ${
        known ? "the address is already in use" : reason
      }`;
    });
  }
}

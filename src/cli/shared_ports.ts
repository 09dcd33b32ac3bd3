/**
 * The ports that workers share. They are bound once before any worker starts, so
 * that a taken port is reported once, and port 0 becomes the same port for all.
 * Then they are released, because the system gives connections to any socket that
 * listens, also to one that does not accept. Until the first worker binds them,
 * another process may take them.
 *
 * @module
 */

import { listenTargets } from "../server/listen_options.ts";
import { listenAll } from "../net/listener.ts";
import type { ServerAddress } from "../net/listener_address.ts";
import { DEFAULT_OPTIONS, type ServeOptions } from "../server/options.ts";
import { UsageError } from "./errors.ts";

/** The port of each address to listen on; `null` for a unix socket. */
export type Ports = readonly (number | null)[];

/**
 * Checks that every address can be listened on, and chooses a port for each
 * port 0.
 *
 * @returns What the workers will listen on.
 * @throws {Deno.errors.AddrInUse} If one is taken; the message says which.
 * @throws {TypeError} If a certificate or its key is of no use.
 */
export function tryAddresses(options: ServeOptions): ServerAddress[] {
  const { backlog } = { ...DEFAULT_OPTIONS, ...options };
  const listeners = listenAll(listenTargets(options), {
    backlog,
    reusePort: false,
  });
  for (const listener of listeners) listener.close();
  return listeners.map(({ address }) => address);
}

/** The ports of these addresses. */
export function portsOf(addresses: readonly ServerAddress[]): Ports {
  return addresses.map((address) => "port" in address ? address.port : null);
}

/**
 * Checks that several processes can listen on the same addresses.
 *
 * @throws {UsageError} If one is a unix socket.
 */
export function checkSharable(options: ServeOptions): void {
  for (const target of listenTargets(options)) {
    if (target.transport === "tcp") continue;
    throw new UsageError(
      `Cannot share the unix socket "${target.path}" between workers: listen on a port, or serve with one worker that is never replaced`,
    );
  }
}

/**
 * Whether two processes can listen on the same addresses, so that no connection
 * is refused while one takes over from the other.
 */
export function isSharable(options: ServeOptions): boolean {
  return Deno.build.os === "linux" &&
    listenTargets(options).every(({ transport }) => transport === "tcp");
}

/** The options that say where to listen, with these ports. */
export function withPorts(
  { port, listen }: ServeOptions,
  ports: Ports,
): Pick<ServeOptions, "port" | "listen"> {
  if (listen === undefined) return { port: ports[0] ?? port };
  const list = Array.isArray(listen) ? listen : [listen];
  return {
    listen: list.map((one, index) =>
      "path" in one ? one : { ...one, port: ports[index] ?? one.port }
    ),
  };
}

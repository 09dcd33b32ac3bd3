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
  // A UDP port would not be free again while this process runs.
  const targets = listenTargets(options)
    .map((target) => ({ ...target, http3: undefined }));
  const listeners = listenAll(targets, {
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
 * @throws {UsageError} If one is a unix socket, or serves HTTP/3.
 */
export function checkSharable(options: ServeOptions): void {
  for (const target of listenTargets(options)) {
    if (target.transport === "unix") {
      throw new UsageError(
        `Cannot share the unix socket "${target.path}" between workers: listen on a port, or serve with one worker that is never replaced`,
      );
    }
    if (target.http3 === undefined) continue;
    throw new UsageError(
      "Cannot share the UDP port of HTTP/3 between workers, because one process alone can have it: leave --http3 out, or serve with one worker that is never replaced",
    );
  }
}

/**
 * Whether two processes can listen on the same addresses, so that no connection
 * is refused while one takes over from the other.
 */
export function isSharable(options: ServeOptions): boolean {
  return Deno.build.os === "linux" &&
    listenTargets(options).every((target) =>
      target.transport === "tcp" && target.http3 === undefined
    );
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

/**
 * `serve`: listens, accepts, runs each connection, and drains them at the end.
 *
 * @module
 */

import { show } from "../asgi/event_checks.ts";
import type { AsgiApp } from "../asgi/types.ts";
import type { TcpAddress } from "../net/listener_address.ts";
import { AsgiServer } from "./asgi_server.ts";
import type { ServeOptions } from "./options.ts";
import type { Server } from "./server.ts";

/**
 * Serves an ASGI application over HTTP/2, HTTP/1.1, HTTP/1.0 and WebSocket.
 *
 * It binds at once, and accepts once the application has started (ASGI
 * lifespan). If the application fails to start, or to stop, `finished` rejects
 * with a {@linkcode LifespanError}.
 *
 * @throws {TypeError | RangeError} If an option is wrong, or a certificate.
 * @throws {Deno.errors.AddrInUse} If an address is taken.
 *
 * @example
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 *
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * }, { port: 0 });
 * await server.shutdown();
 * ```
 */
export function serve(
  app: AsgiApp,
  options?: ServeOptions & { listen?: undefined },
): Server<TcpAddress>;
/**
 * Serves an ASGI application at any addresses.
 *
 * @throws {TypeError | RangeError} If an option is wrong, or a certificate.
 * @throws {Deno.errors.AddrInUse} If an address is taken.
 */
export function serve(app: AsgiApp, options?: ServeOptions): Server;
export function serve(app: AsgiApp, options: ServeOptions = {}): Server {
  if (typeof app !== "function") {
    throw new TypeError(
      `Cannot serve: the app must be a function, not ${show(app)}`,
    );
  }
  return new AsgiServer(app, options);
}

/**
 * An ASGI server: it serves applications of the form `(scope, receive, send)`
 * over HTTP and WebSocket.
 *
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 *
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * }, { port: 0 });
 * await server.shutdown();
 * ```
 *
 * @module
 */

export { allowedOrigins } from "./src/asgi/allowed_origins.ts";
export { ClientDisconnected, InvalidEventError } from "./src/asgi/errors.ts";
export {
  fromTransform,
  headerValue,
  requestBody,
  respond,
  type RespondOptions,
} from "./src/asgi/helpers.ts";
export { LifespanError, type LifespanMode } from "./src/asgi/lifespan_cycle.ts";
export type * from "./src/asgi/types.ts";
export { wrapReceive, wrapSend } from "./src/asgi/wrap.ts";
export type { AccessRecord, LogLevel, LogRecord } from "./src/logs/records.ts";
export type { Metrics } from "./src/metrics/metrics.ts";
export type {
  ServerAddress,
  TcpAddress,
  UnixAddress,
} from "./src/net/listener_address.ts";
export type {
  Http3ListenOptions,
  ListenOptions,
  TcpListenOptions,
  TlsOptions,
  UnixListenOptions,
} from "./src/server/listen_options.ts";
export type { ServeOptions } from "./src/server/options.ts";
export { serve } from "./src/server/serve.ts";
export type { Server, ShutdownOptions } from "./src/server/server.ts";

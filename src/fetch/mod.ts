/**
 * Bridges between ASGI and `fetch`: {@linkcode fromFetch} runs a handler of
 * the form `(request) => response` as an ASGI application, and
 * {@linkcode toFetch} runs an ASGI application where such a handler is
 * expected: under `Deno.serve`, `deno serve`, or on an edge runtime.
 *
 * ```ts
 * import { serve } from "jsr:@x/asgi";
 * import { fromFetch } from "jsr:@x/asgi/fetch";
 *
 * const app = fromFetch((request) => new Response(`Hello ${request.url}`));
 * const server = serve(app, { port: 0 });
 * await server.shutdown();
 * ```
 *
 * @module
 */

export {
  type FetchHandler,
  type FetchInfo,
  fromFetch,
  type RemoteAddress,
} from "./from_fetch.ts";
export { type FetchApp, toFetch, type ToFetchOptions } from "./to_fetch.ts";
export type { UpgradedRequest, UpgradeWebSocket } from "./_fetch_websocket.ts";

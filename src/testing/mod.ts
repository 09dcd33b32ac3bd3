/**
 * A client for tests: it calls an application in process, without a socket, and
 * holds it to the rules of the server. Docs: `docs/testing.md`.
 *
 * @example
 * ```ts
 * import { type AsgiApp, respond } from "jsr:@x/asgi";
 * import { TestClient } from "jsr:@x/asgi/testing";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * const app: AsgiApp = async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * };
 *
 * await using client = await TestClient.start(app);
 * const response = await client.fetch("/world");
 * assertEquals(response.status, 200);
 * assertEquals(await response.text(), "Hello from /world");
 * ```
 *
 * @module
 */

export { LifespanError, type LifespanMode } from "../asgi/lifespan_cycle.ts";
export type { HeadersLike, ScopeOptions } from "./_request.ts";
export type { RequestBody } from "./_request_content.ts";
export type { ResponseHead } from "./_response_sink.ts";
export type { WebSocketClose } from "./_websocket_wire.ts";
export type { TestExchange } from "./exchange.ts";
export type {
  TestClientOptions,
  TestRequestInit,
  TestShutdownOptions,
  TestWebSocketInit,
} from "./options.ts";
export { TestClient } from "./test_client.ts";
export {
  type TestWebSocket,
  WebSocketClosedError,
  WebSocketDeniedError,
} from "./websocket.ts";

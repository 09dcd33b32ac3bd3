/**
 * Applications around applications, for what an operator needs: deployment behind
 * proxies, several applications on one server, and guards.
 *
 * ```ts
 * import { type AsgiApp, respond, serve } from "jsr:@x/asgi";
 * import { allowedHosts, forwarded, mount } from "jsr:@x/asgi/middleware";
 *
 * const greet: AsgiApp = async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello ${scope.client?.[0]}` });
 * };
 * const app = allowedHosts(mount({ "/greet": greet }), ["example.com"]);
 * const server = serve(forwarded(app, { trust: ["127.0.0.1"] }), { port: 0 });
 * await server.shutdown();
 * ```
 *
 * @module
 */

export { allowedOrigins } from "../asgi/allowed_origins.ts";
export type * from "../asgi/types.ts";
export { wrapReceive, wrapSend } from "../asgi/wrap.ts";
export { forwarded } from "./forwarded.ts";
export type { ForwardedField, ForwardedOptions } from "./forwarded_fields.ts";
export { allowedHosts, hosts } from "./hosts.ts";
export { httpsRedirect, type HttpsRedirectOptions } from "./https_redirect.ts";
export { mount } from "./mount.ts";
export { requestId, type RequestIdOptions } from "./request_id.ts";
export { rootPath } from "./root_path.ts";

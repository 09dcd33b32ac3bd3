/**
 * Two applications behind a proxy on the same machine: each has its path and
 * its own lifespan, the client is the one that the proxy names, and every request has
 * an id.
 *
 *     deno run -A examples/behind_proxy.ts
 *     curl -i -H 'x-forwarded-for: 192.0.2.1' -H 'x-forwarded-proto: https' http://127.0.0.1:8000/visits
 *
 * @module
 */

import { type AsgiApp, headerValue, respond, serve } from "jsr:@x/asgi";
import { forwarded, mount, requestId } from "jsr:@x/asgi/middleware";

/** Says what it knows of the request. */
const site: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const client = scope.client?.[0] ?? "nobody";
  const id = headerValue(scope, "x-request-id");
  const body = `Hello ${client}, who came by ${scope.scheme}, request ${id}\n`;
  await respond(send, 200, { body });
};

/** Counts requests, from start to stop. */
const visits: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    const counter = scope.state.counter = { count: 0 };
    await send({ type: "lifespan.startup.complete" });
    await receive();
    console.log(`There were ${counter.count} visits`);
    await send({ type: "lifespan.shutdown.complete" });
  } else if (scope.type === "http") {
    const counter = scope.state?.counter as { count: number };
    const body = `Visit ${++counter.count} of ${scope.root_path}\n`;
    await respond(send, 200, { body });
  } else throw new TypeError(`Unknown scope ${scope.type}`);
};

/** Both, with what is around them. */
export const app: AsgiApp = forwarded(
  requestId(mount({ "/": site, "/visits": visits })),
  { trust: ["127.0.0.1", "::1"] },
);

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

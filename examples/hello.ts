/**
 * Answers each request with a greeting: the smallest application.
 *
 *     deno run -A examples/hello.ts
 *     curl http://127.0.0.1:8000/world
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";

/** Answers with the path that was asked for. */
export const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  await respond(send, 200, {
    headers: [["content-type", "text/plain; charset=utf-8"]],
    body: `Hello from ${scope.path}\n`,
  });
};

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

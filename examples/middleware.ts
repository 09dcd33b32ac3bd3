/**
 * Middleware: an application around an application. It adds a header that says
 * how long the inner one took to start its response.
 *
 *     deno run -A examples/middleware.ts
 *     curl -i http://127.0.0.1:8000/
 *
 * @module
 */

import { type AsgiApp, respond, serve, wrapSend } from "jsr:@x/asgi";

/** Adds a `server-timing` header to the responses of `app`. */
export function timed(app: AsgiApp): AsgiApp {
  return (scope, receive, send) => {
    if (scope.type !== "http") return app(scope, receive, send);
    const started = performance.now();
    const sendTimed = wrapSend(send, (event) => {
      if (event.type !== "http.response.start") return event;
      const ms = (performance.now() - started).toFixed(1);
      const timing = ["server-timing", `app;dur=${ms}`] as const;
      return { ...event, headers: [...event.headers ?? [], timing] };
    });
    return app(scope, receive, sendTimed);
  };
}

/** Greets, and says how long that took. */
export const app: AsgiApp = timed(async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  await respond(send, 200, { body: "Hello\n" });
});

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

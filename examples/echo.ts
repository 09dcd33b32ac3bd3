/**
 * Step 3 of 3: the echo application on the server. It answers every request
 * with the content that it was sent, piece by piece, as the pieces arrive.
 *
 *     deno run -A examples/echo.ts
 *     curl -d Hello http://127.0.0.1:8000/
 *
 * @module
 */

import { type AsgiApp, serve } from "jsr:@x/asgi";

/** The echo application. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const length = scope.headers.filter(([name]) => name === "content-length");
  await send({ type: "http.response.start", status: 200, headers: length });
  for await (const event of receive) {
    if (event.type !== "http.request") return;
    const { body, more_body } = event;
    await send({ type: "http.response.body", body, more_body });
    if (!more_body) return;
  }
};

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

/**
 * Two extensions: early hints let the browser fetch the style sheet while the
 * page is made, and a trailer carries the digest of what was streamed. Over
 * HTTP/1.1 the hints are offered only if the server is asked to: some proxies
 * take them for the response.
 *
 *     deno run -A examples/early_hints_and_trailers.ts
 *     curl -v -H 'te: trailers' -H 'connection: te' http://127.0.0.1:8000/
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type AsgiApp, serve } from "jsr:@x/asgi";

/** Streams a page, with hints before and a digest after it. */
export const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  // The server knows whether its client can take them.
  if ("http.response.early_hint" in scope.extensions) {
    const links = ["</style.css>; rel=preload; as=style"];
    await send({ type: "http.response.early_hint", links });
  }
  const trailers = "http.response.trailers" in scope.extensions;
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ...trailers ? [["trailer", "content-digest"] as const] : [],
    ],
    trailers,
  });
  const hash = createHash("sha256");
  for (const body of ["<!DOCTYPE html>\n", "<title>Hello</title>\n"]) {
    hash.update(body);
    await send({ type: "http.response.body", body, more_body: true });
  }
  await send({ type: "http.response.body" });
  if (!trailers) return;
  const digest = `sha-256=:${hash.digest("base64")}:`;
  const headers = [["content-digest", digest] as const];
  await send({ type: "http.response.trailers", headers });
};

if (import.meta.main) {
  const port = Number(Deno.env.get("PORT") || 8000);
  serve(app, { port, signals: true, earlyHints: true });
}

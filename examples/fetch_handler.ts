/**
 * A handler as `Deno.serve` takes it, on this server: any function from a
 * `Request` to a `Response`, or the `fetch` of a framework, as Hono's. It sends
 * back what it is sent, as it comes, and counts down until the client leaves.
 *
 *     deno run -A examples/fetch_handler.ts
 *     curl -d Hello http://127.0.0.1:8000/echo
 *     curl -N http://127.0.0.1:8000/countdown
 *
 * @module
 */

import { type AsgiApp, serve } from "jsr:@x/asgi";
import { fromFetch } from "jsr:@x/asgi/fetch";

/** Answers a request. */
function handle(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/echo") return new Response(request.body);
  if (pathname === "/countdown") return new Response(countdown(10));
  return new Response("Try /echo or /countdown\n", { status: 404 });
}

/** A line every tenth of a second; cancelled when the client leaves. */
function countdown(from: number): ReadableStream<Uint8Array> {
  let left = from;
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(new TextEncoder().encode(`${left}\n`));
      if (left-- === 0) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
    cancel: () => console.error(`Left at ${left}`),
  }, { highWaterMark: 0 });
}

/** The handler as an application. */
export const app: AsgiApp = fromFetch(handle);

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

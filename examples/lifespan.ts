/**
 * Starts before the first request, and stops after the last connection.
 *
 *     deno run -A examples/lifespan.ts
 *     curl http://127.0.0.1:8000/
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";

/** Says since when it has been running. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    for await (const event of receive) {
      if (event.type === "lifespan.startup") {
        // Each request gets a copy of the state with what is put here.
        scope.state.started = new Date();
        await send({ type: "lifespan.startup.complete" });
      } else {
        console.error("Stopped");
        await send({ type: "lifespan.shutdown.complete" });
      }
    }
  } else if (scope.type === "http") {
    await respond(send, 200, {
      headers: [["content-type", "text/plain; charset=utf-8"]],
      body: `Running since ${scope.state?.started}\n`,
    });
  } else {
    throw new TypeError(`Unknown scope ${scope.type}`);
  }
};

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

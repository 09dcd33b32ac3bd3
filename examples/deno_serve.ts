/**
 * An application on Deno's own server; on an edge runtime, the handler would be
 * the same.
 *
 *     deno run -A examples/deno_serve.ts
 *     curl http://127.0.0.1:8000/world
 *
 * @module
 */

import { type AsgiApp, respond } from "jsr:@x/asgi";
import { type FetchApp, toFetch } from "jsr:@x/asgi/fetch";

/** Answers HTTP with a greeting, and sends a WebSocket's messages back. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "http") {
    return await respond(send, 200, { body: `Hello from ${scope.path}\n` });
  }
  if (scope.type !== "websocket") {
    throw new TypeError(`Unknown scope ${scope.type}`);
  }
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  }
};

/** The application as a handler. */
export const handler: FetchApp = toFetch(app, {
  upgradeWebSocket: Deno.upgradeWebSocket,
});

if (import.meta.main) {
  const port = Number(Deno.env.get("PORT") || 8000);
  const server = Deno.serve({ hostname: "127.0.0.1", port }, handler);
  const interrupted = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", interrupted.resolve);
  await interrupted.promise;
  await Promise.all([server.shutdown(), handler.shutdown()]);
}

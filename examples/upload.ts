/**
 * A streaming upload: counts the bytes as they arrive, and keeps none of them.
 *
 *     deno run -A examples/upload.ts
 *     head -c 1G /dev/zero | curl -T - http://127.0.0.1:8000/
 *
 * @module
 */

import { type AsgiApp, requestBody, respond, serve } from "jsr:@x/asgi";

/** Answers with the number of bytes that it was sent. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  let bytes = 0;
  for await (const chunk of requestBody(receive)) bytes += chunk.length;
  await respond(send, 200, { body: `${bytes} bytes\n` });
};

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

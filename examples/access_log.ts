/**
 * An access log on stdout, in the format that log analysers know best. Another
 * can be asked for: `common`, `json`, or a format string.
 *
 *     deno run -A examples/access_log.ts
 *     deno run -A examples/access_log.ts '%t %m %U %s %{ms}T ms'
 *     curl http://127.0.0.1:8000/world
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";
import { accessFormatter, LineWriter } from "jsr:@x/asgi/logs";

/** Greets; `/missing` is not found. */
export const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  if (scope.path === "/missing") return await respond(send, 404);
  await respond(send, 200, { body: "Hello\n" });
};

if (import.meta.main) {
  const format = accessFormatter(Deno.args[0] ?? "combined");
  await using lines = new LineWriter(Deno.stdout);
  const server = serve(app, {
    port: Number(Deno.env.get("PORT") || 8000),
    signals: true,
    accessLog: (record) => lines.line(format(record)),
  });
  await server.finished;
}

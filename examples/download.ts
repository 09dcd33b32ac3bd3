/**
 * A streaming download: as many MiB as the query says, 1024 by default. They
 * are made at the pace at which the client takes them, so that a slow client
 * costs no memory; one that leaves ends the download.
 *
 *     deno run -A examples/download.ts
 *     curl --limit-rate 100M -o /dev/null 'http://127.0.0.1:8000/?1024'
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";

const MIB = 1024 * 1024;

/** Sends the MiB that the query asks for. */
export const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const query = scope.query_string || "1024";
  if (!/^\d{1,6}$/.test(query)) {
    return await respond(send, 400, { body: "How many MiB? Ask for /?10\n" });
  }
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "application/octet-stream"],
      ["content-length", String(Number(query) * MIB)],
    ],
  });
  const body = new Uint8Array(MIB).fill(0x2e);
  for (let left = Number(query); left > 0; left--) {
    await send({ type: "http.response.body", body, more_body: true });
  }
  await send({ type: "http.response.body" });
};

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

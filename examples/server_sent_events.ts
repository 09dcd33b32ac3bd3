/**
 * Server-sent events: the time, every second, until the client leaves, or the
 * server shuts down; then a last event says so, and the stream ends.
 *
 *     deno run -A examples/server_sent_events.ts
 *     curl -N http://127.0.0.1:8000/
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type AsgiApp, type Receive, serve } from "jsr:@x/asgi";

/** Sends an event a second. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const client = scope.client?.join(":");
  const lost = disconnectSignal(receive);
  const stopping = scope.extensions["server.shutdown"]?.signal;
  const over = AbortSignal.any(stopping ? [lost, stopping] : [lost]);
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "text/event-stream"],
      ["cache-control", "no-store"],
    ],
  });
  try {
    for (let id = 1; !over.aborted; id++) {
      const body = `id: ${id}\ndata: ${new Date().toISOString()}\n\n`;
      await send({ type: "http.response.body", body, more_body: true });
      // It rejects when the signal is aborted.
      await sleep(1_000, undefined, { signal: over }).catch(() => {});
    }
    const body = "event: end\ndata: The server shuts down\n\n";
    if (!lost.aborted) await send({ type: "http.response.body", body });
  } finally {
    console.error(`Client ${client} has disconnected`);
  }
};

/** A signal that is aborted when the client disconnects. */
function disconnectSignal(receive: Receive): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  untilDisconnect(receive).then(abort, abort);
  return controller.signal;
}

async function untilDisconnect(receive: Receive): Promise<void> {
  while ((await receive()).type !== "http.disconnect");
}

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

/**
 * Sends every WebSocket message back, text as text and bytes as bytes.
 *
 *     deno run -A examples/websocket_echo.ts
 *     deno eval 'const s = new WebSocket("ws://127.0.0.1:8000/"); s.onopen = () => s.send("Hello"); s.onmessage = ({ data }) => { console.log(data); s.close(); }'
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";

/** The echo application. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "http") {
    const headers = [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
    ] as const;
    const body = "Only WebSockets are served here\n";
    return await respond(send, 426, { headers, body });
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

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

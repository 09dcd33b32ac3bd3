/**
 * Subprotocols: client and server agree on how to write their messages. This
 * one adds numbers up, and sends the sum as JSON or as plain text, whichever of
 * the two the client prefers. One that knows neither is not served.
 *
 *     deno run -A examples/websocket_subprotocols.ts
 *     deno eval 'const s = new WebSocket("ws://127.0.0.1:8000/", ["sum.json"]); s.onopen = () => s.send("[1, 2]"); s.onmessage = ({ data }) => { console.log(s.protocol, data); s.close(); }'
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "jsr:@x/asgi";

/** How numbers are read, and a sum is written; by the name of a subprotocol. */
interface Format {
  /** The numbers of a message; whatever it throws, the message is not valid. */
  parse(message: string): unknown;
  /** The message with a sum. */
  format(sum: number): string;
}

const FORMATS = new Map<string, Format>([
  ["sum.json", { parse: JSON.parse, format: (sum) => JSON.stringify({ sum }) }],
  ["sum.text", {
    parse: (message) => message.trim().split(/\s+/).map(Number),
    format: String,
  }],
]);

const UNSUPPORTED_DATA = 1003;
const INVALID_DATA = 1007;

/** Adds up the numbers of each message. */
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
  await receive();
  // The client's order counts: what it prefers comes first.
  const subprotocol = scope.subprotocols.find((name) => FORMATS.has(name));
  if (subprotocol === undefined) return await send({ type: "websocket.close" });
  const { parse, format } = FORMATS.get(subprotocol)!;
  await send({ type: "websocket.accept", subprotocol });
  for (let event; (event = await receive()).type === "websocket.receive";) {
    if (event.text === null) {
      const reason = "Text, please";
      return await send({
        type: "websocket.close",
        code: UNSUPPORTED_DATA,
        reason,
      });
    }
    const sum = sumOf(event.text, parse);
    if (sum === undefined) {
      const reason = "Numbers, please";
      return await send({
        type: "websocket.close",
        code: INVALID_DATA,
        reason,
      });
    }
    await send({ type: "websocket.send", text: format(sum) });
  }
};

/** The sum of a message's numbers; `undefined` if they are no numbers. */
function sumOf(message: string, parse: Format["parse"]): number | undefined {
  try {
    const numbers = parse(message);
    if (!Array.isArray(numbers) || !numbers.every(Number.isFinite)) return;
    return numbers.reduce((sum, number) => sum + number, 0);
  } catch {
    return;
  }
}

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}

// Applications that serve WebSockets, for tests of whole servers.

import {
  type AsgiApp,
  type Receive,
  type ReceiveEvent,
  respond,
  type Send,
  type WebSocketScope,
} from "../../mod.ts";

/** An application of a test that knows WebSockets only. */
export type WebSocketApp = (
  receive: Receive,
  send: Send,
  scope: WebSocketScope,
) => Promise<void> | void;

/** Serves WebSockets as a test says, and answers requests with their path. */
export function websocket(app: WebSocketApp): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type === "http") {
      return await respond(send, 200, { body: scope.path });
    }
    if (scope.type === "websocket") return await app(receive, send, scope);
    throw new TypeError(`Unknown scope ${scope.type}`);
  };
}

/** Accepts at once, and then does what a test is about. */
export function accepted(app: WebSocketApp): AsgiApp {
  return websocket(async (receive, send, scope) => {
    await receive();
    await send({ type: "websocket.accept" });
    await app(receive, send, scope);
  });
}

/** Keeps the last event of each WebSocket, and echoes what comes before it. */
export function recording(ends: ReceiveEvent[]): AsgiApp {
  return accepted(async (receive, send) => {
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") return void ends.push(event);
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  });
}

/** Accepts, and echoes. */
export const echo: AsgiApp = recording([]);

/** The event at the end of a WebSocket. */
export function disconnect(code: number, reason = ""): ReceiveEvent {
  return { type: "websocket.disconnect", code, reason };
}

// Events of a WebSocket, and applications that send and receive them, for the
// tests of its cycle.

import type {
  AsgiApp,
  Receive,
  ReceiveEvent,
  Send,
  SendEvent,
} from "../../src/asgi/types.ts";
import type { WireCall } from "./_fake_websocket_wire.ts";

export const ACCEPT: SendEvent = { type: "websocket.accept" };
export const HELLO: SendEvent = { type: "websocket.send", text: "Hello" };
export const LARGE: SendEvent = {
  type: "websocket.send",
  text: "x".repeat(40_000),
};
export const CLOSE: SendEvent = {
  type: "websocket.close",
  code: 4000,
  reason: "Bye",
};
export const DENIAL: SendEvent = {
  type: "websocket.http.response.start",
  status: 401,
  headers: [["X-A", "1"]],
};
export const PIECE: SendEvent = {
  type: "websocket.http.response.body",
  body: "some, ",
  more_body: true,
};
export const LAST_PIECE: SendEvent = {
  type: "websocket.http.response.body",
  body: "last",
};

export const ACCEPTED: WireCall = ["accept", null, []];
export const BYE: WireCall = ["close", 4000, "Bye"];

/** Sends one event after the other. */
export async function sendAll(send: Send, events: SendEvent[]): Promise<void> {
  for (const event of events) await send(event);
}

/** The disconnect that an application receives. */
export function disconnect(code: number, reason = ""): ReceiveEvent {
  return { type: "websocket.disconnect", code, reason };
}

/** A text that an application receives. */
export function text(text: string): ReceiveEvent {
  return { type: "websocket.receive", text, bytes: null };
}

/** Accepts, and echoes until the client is gone. */
export const echo: AsgiApp = async (_scope, receive, send) => {
  for await (const event of receive) {
    if (event.type === "websocket.connect") await send(ACCEPT);
    if (event.type !== "websocket.receive") continue;
    const { text, bytes } = event;
    await send({ type: "websocket.send", text, bytes });
  }
};

/** Accepts, and then does what a test is about. */
export function accepted(
  rest: (receive: Receive, send: Send) => unknown,
): AsgiApp {
  return async (_scope, receive, send) => {
    await receive();
    await send(ACCEPT);
    await rest(receive, send);
  };
}

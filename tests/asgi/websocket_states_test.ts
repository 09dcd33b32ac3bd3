// The table of the states of a WebSocket's cycle. What the cycle makes of it is
// tested with the cycle.

import { assertEquals, assertThrows } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import type { WebSocketAction } from "../../src/asgi/websocket_events.ts";
import {
  stateAfter,
  WEBSOCKET_STATES,
  type WebSocketState,
} from "../../src/asgi/websocket_states.ts";

const STATES = Object.keys(WEBSOCKET_STATES) as WebSocketState[];

const ACCEPT: WebSocketAction = {
  type: "websocket.accept",
  subprotocol: null,
  headers: [],
};
const SEND: WebSocketAction = { type: "websocket.send", message: "" };
const CLOSE: WebSocketAction = {
  type: "websocket.close",
  code: 1000,
  reason: "",
};
const START: WebSocketAction = {
  type: "websocket.http.response.start",
  status: 400,
  headers: [],
};

function body(more_body: boolean): WebSocketAction {
  const body = new Uint8Array(0);
  return { type: "websocket.http.response.body", body, more_body };
}

function follow(...actions: WebSocketAction[]): WebSocketState[] {
  let state: WebSocketState = "connecting";
  return actions.map((action) => state = stateAfter(state, action));
}

Deno.test("A WebSocket is accepted, or denied", () => {
  assertEquals(follow(ACCEPT, SEND, CLOSE), ["open", "open", "closed"]);
  assertEquals(follow(CLOSE), ["closed"]);
  assertEquals(follow(START, body(true), body(false)), [
    "denying",
    "denying",
    "closed",
  ]);
});

Deno.test("Every state ends when the client disconnects", () => {
  for (const state of STATES) {
    assertEquals(stateAfter(state, "end"), "closed", state);
  }
});

Deno.test("stateAfter() says of an event without an entry what is due", () => {
  const due: [WebSocketState, WebSocketAction, string][] = [
    ["connecting", SEND, "Cannot send websocket.send: websocket.accept or"],
    ["denying", ACCEPT, "websocket.http.response.body is due"],
    ["open", body(false), "the WebSocket was accepted before"],
    ["closed", SEND, "the WebSocket is closed"],
  ];
  for (const [state, action, message] of due) {
    assertThrows(() => stateAfter(state, action), InvalidEventError, message);
  }
});

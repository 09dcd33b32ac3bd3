// The scope of a WebSocket, and what becomes of each event that the application
// sends in each state.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import type { Scope, SendEvent } from "../../src/asgi/types.ts";
import { settled } from "../_turns.ts";
import { exampleScope, run, runFaulty } from "./_fake_websocket_wire.ts";
import {
  ACCEPT,
  CLOSE,
  DENIAL,
  HELLO,
  LAST_PIECE,
  PIECE,
  sendAll,
} from "./_websocket_events.ts";

// The scope.

Deno.test("The scope of a WebSocket has every key of the specification", () => {
  assertEquals(exampleScope(["chat", "v2.chat"]), {
    type: "websocket",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    scheme: "ws",
    path: "/chat room",
    raw_path: "/chat%20room",
    query_string: "a=%20",
    root_path: "",
    headers: [["host", "localhost"]],
    client: ["127.0.0.1", 50000],
    server: ["127.0.0.1", 8000],
    subprotocols: ["chat", "v2.chat"],
    extensions: { "websocket.http.response": {} },
  });
});

Deno.test("The application is called once, with the scope of the WebSocket", async () => {
  const scopes: Scope[] = [];
  await run(async (scope, _receive, send) => {
    scopes.push(scope);
    await send({ type: "websocket.close" });
  }, { subprotocols: ["chat"] });
  assertEquals(scopes, [exampleScope(["chat"])]);
});

// Events in states.

/** A state: how to get there, and how to end the WebSocket from there. */
type Path = readonly [before: SendEvent[], after: SendEvent[]];

const STATES = {
  "while connecting": [[], [ACCEPT, HELLO, CLOSE]],
  "after the head of a denial": [[DENIAL], [LAST_PIECE]],
  "amid a denial": [[DENIAL, PIECE], [LAST_PIECE]],
  "while open": [[ACCEPT], [HELLO, CLOSE]],
  "after a close": [[ACCEPT, CLOSE], []],
  "after a close before accept": [[CLOSE], []],
  "after a denial": [[DENIAL, PIECE, LAST_PIECE], []],
} satisfies Record<string, Path>;

const EVENTS: Record<string, unknown> = {
  "accept": ACCEPT,
  "accept of what is not offered": { ...ACCEPT, subprotocol: "none" },
  "text": HELLO,
  "bytes": { type: "websocket.send", bytes: new Uint8Array(1) },
  "close": CLOSE,
  "the head of a denial": DENIAL,
  "content of a denial": PIECE,
  "the last content of a denial": LAST_PIECE,
  "an event of HTTP": { type: "http.response.start", status: 200 },
  "a message of a wrong shape": { type: "websocket.send" },
  "no event": undefined,
};

const OK = "is accepted";
const GONE = "is too late";
const DUE = "websocket.accept or websocket.close is due";
const BODY_DUE = "websocket.http.response.body is due";
const OPEN = "the WebSocket was accepted before";
const OFFER = "the client did not offer";
const UNKNOWN = "unknown type";
const SHAPE = "exactly one of text and bytes";

/** What becomes of an event in a state: the columns in the order of EVENTS. */
// deno-fmt-ignore
const TABLE: Record<keyof typeof STATES, readonly string[]> = {
  "while connecting": [
    OK, OFFER, DUE, DUE, OK, OK, DUE, DUE, UNKNOWN, SHAPE, UNKNOWN,
  ],
  "after the head of a denial": [
    BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, OK, OK,
    UNKNOWN, SHAPE, UNKNOWN,
  ],
  "amid a denial": [
    BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, OK, OK,
    UNKNOWN, SHAPE, UNKNOWN,
  ],
  "while open": [
    OPEN, OPEN, OK, OK, OK, OPEN, OPEN, OPEN, UNKNOWN, SHAPE, UNKNOWN,
  ],
  "after a close": Array(11).fill(GONE),
  "after a close before accept": Array(11).fill(GONE),
  "after a denial": Array(11).fill(GONE),
};

for (const [state, outcomes] of Object.entries(TABLE)) {
  const [before, after]: Path = STATES[state as keyof typeof STATES];
  Object.entries(EVENTS).forEach(([what, event], column) => {
    const outcome = outcomes[column];
    const verb = outcome === OK || outcome === GONE
      ? outcome
      : `is refused ("${outcome}")`;
    Deno.test(`Sent ${state}, ${what} ${verb}`, async () => {
      if (outcome === OK) await isAccepted(before, event as SendEvent);
      else await isRefused(before, event as SendEvent, outcome, after);
    });
  });
}

async function isAccepted(
  before: SendEvent[],
  event: SendEvent,
): Promise<void> {
  let sent = false;
  await runFaulty(async (_scope, _receive, send) => {
    await sendAll(send, before);
    await send(event);
    sent = true;
  });
  assert(sent);
}

/** Refused, and the WebSocket goes on as if it had never been sent. */
async function isRefused(
  before: SendEvent[],
  event: SendEvent,
  outcome: string,
  after: SendEvent[],
): Promise<void> {
  const plain = await run((_scope, _receive, send) =>
    sendAll(send, [...before, ...after])
  );
  const { wire } = await run(async (_scope, _receive, send) => {
    await sendAll(send, before);
    const sending = () => send(event);
    if (outcome === GONE) await assertRejects(sending, ClientDisconnected);
    else await assertRejects(sending, InvalidEventError, outcome);
    await settled();
    await sendAll(send, after);
  });
  assertEquals(wire.calls, plain.wire.calls);
}

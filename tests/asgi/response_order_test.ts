// The order of what an application sends: every event in every state is
// accepted, refused, or ignored, and a refused one leaves the response as it
// was, so that the application can still complete it.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import type { Send, SendEvent } from "../../src/asgi/types.ts";
import { FakeFile, run, runFaulty } from "./_fake_wire.ts";
import { settled } from "../_turns.ts";

const START: SendEvent = { type: "http.response.start", status: 200 };
const START_WITH_TRAILERS: SendEvent = { ...START, trailers: true };
const MORE: SendEvent = {
  type: "http.response.body",
  body: "some",
  more_body: true,
};
const NO_BYTES: SendEvent = { type: "http.response.body", more_body: true };
const LAST: SendEvent = { type: "http.response.body", body: "last" };
const TRAILERS: SendEvent = { type: "http.response.trailers" };
const MORE_TRAILERS: SendEvent = { ...TRAILERS, more_trailers: true };

/** A state: how to get there, and how to complete the response from there. */
type Path = readonly [before: SendEvent[], after: SendEvent[]];

const STATES = {
  "at the beginning": [[], [START, LAST]],
  "after the start": [[START], [LAST]],
  "after a body event without bytes": [[START, NO_BYTES], [LAST]],
  "amid the content": [[START, MORE], [LAST]],
  "after a start that declares trailers": [[START_WITH_TRAILERS], [
    LAST,
    TRAILERS,
  ]],
  "when trailers are due": [[START_WITH_TRAILERS, LAST], [TRAILERS]],
  "amid the trailers": [[START_WITH_TRAILERS, LAST, MORE_TRAILERS], [TRAILERS]],
  "after the last content": [[START, LAST], []],
  "after the last trailers": [[START_WITH_TRAILERS, LAST, TRAILERS], []],
} satisfies Record<string, Path>;

const EVENTS: Record<string, () => unknown> = {
  "early hints": () => ({ type: "http.response.early_hint", links: ["</a>"] }),
  "a start": () => ({ type: "http.response.start", status: 404 }),
  "content": () => MORE,
  "the last content": () => LAST,
  "large content": () => ({ ...MORE, body: "x".repeat(200_000) }),
  "trailers": () => MORE_TRAILERS,
  "the last trailers": () => TRAILERS,
  "a path": () => ({ type: "http.response.pathsend", path: "/a" }),
  "a file": () => ({
    type: "http.response.zerocopysend",
    file: new FakeFile("content"),
    more_body: true,
  }),
  "an unknown event": () => ({ type: "http.response.push" }),
  "a start of a wrong shape": () => ({ ...START, status: 99 }),
  "content of a wrong shape": () => ({ ...MORE, body: 5 }),
  "no event": () => undefined,
};

const ACCEPTED = "accepted";
const IGNORED = "ignored";
const FIRST = "http.response.start must come first";
const BODY_DUE = "http.response.body is due";
const TRAILERS_DUE = "http.response.trailers is due";
const SENT_BEFORE = "content was sent before";
const UNKNOWN = "unknown type";
const STATUS = "status must be";
const BODY = "body must be";

/** What becomes of an event in a state: the columns in the order of EVENTS. */
// deno-fmt-ignore
const TABLE: Record<keyof typeof STATES, readonly string[]> = {
  "at the beginning": [
    ACCEPTED, ACCEPTED, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST,
    UNKNOWN, STATUS, BODY, UNKNOWN,
  ],
  "after the start": [
    BODY_DUE, BODY_DUE, ACCEPTED, ACCEPTED, ACCEPTED, BODY_DUE, BODY_DUE,
    ACCEPTED, ACCEPTED, UNKNOWN, STATUS, BODY, UNKNOWN,
  ],
  "after a body event without bytes": [
    BODY_DUE, BODY_DUE, ACCEPTED, ACCEPTED, ACCEPTED, BODY_DUE, BODY_DUE,
    SENT_BEFORE, ACCEPTED, UNKNOWN, STATUS, BODY, UNKNOWN,
  ],
  "amid the content": [
    BODY_DUE, BODY_DUE, ACCEPTED, ACCEPTED, ACCEPTED, BODY_DUE, BODY_DUE,
    SENT_BEFORE, ACCEPTED, UNKNOWN, STATUS, BODY, UNKNOWN,
  ],
  "after a start that declares trailers": [
    BODY_DUE, BODY_DUE, ACCEPTED, ACCEPTED, ACCEPTED, BODY_DUE, BODY_DUE,
    ACCEPTED, ACCEPTED, UNKNOWN, STATUS, BODY, UNKNOWN,
  ],
  "when trailers are due": [
    TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE,
    ACCEPTED, ACCEPTED, TRAILERS_DUE, TRAILERS_DUE, UNKNOWN, STATUS, BODY,
    UNKNOWN,
  ],
  "amid the trailers": [
    TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE, TRAILERS_DUE,
    ACCEPTED, ACCEPTED, TRAILERS_DUE, TRAILERS_DUE, UNKNOWN, STATUS, BODY,
    UNKNOWN,
  ],
  "after the last content": Array(13).fill(IGNORED),
  "after the last trailers": Array(13).fill(IGNORED),
};

const options = { openFile: () => Promise.resolve(new FakeFile("content")) };

for (const [state, outcomes] of Object.entries(TABLE)) {
  const [before, after]: Path = STATES[state as keyof typeof STATES];
  Object.entries(EVENTS).forEach(([what, create], column) => {
    const outcome = outcomes[column];
    const verb = outcome === ACCEPTED || outcome === IGNORED
      ? `is ${outcome}`
      : `is refused ("${outcome}")`;
    Deno.test(`Sent ${state}, ${what} ${verb}`, async () => {
      const event = create() as SendEvent;
      if (outcome === ACCEPTED) await isAccepted(before, event);
      else if (outcome === IGNORED) await isIgnored(before, event);
      else await isRefused([...before], event, outcome, after);
    });
  });
}

/** Accepted; what follows is left out, so that the response may fail. */
async function isAccepted(
  before: SendEvent[],
  event: SendEvent,
): Promise<void> {
  let accepted = false;
  const { ignored } = await runFaulty(async (_scope, _receive, send) => {
    await sendAll(send, before);
    await send(event);
    accepted = true;
  }, options);
  assert(accepted);
  assertEquals(ignored, []);
}

async function isIgnored(before: SendEvent[], event: SendEvent): Promise<void> {
  const plain = await run((_scope, _receive, send) => sendAll(send, before));
  const { wire, ignored } = await run(async (_scope, _receive, send) => {
    await sendAll(send, before);
    await send(event);
  }, options);
  assertEquals(ignored, [String(event?.type)]);
  assertEquals(wire.calls, plain.wire.calls);
}

/** Refused, and the response goes on as if the event had never been sent. */
async function isRefused(
  before: SendEvent[],
  event: SendEvent,
  message: string,
  after: SendEvent[],
): Promise<void> {
  const plain = await run((_scope, _receive, send) =>
    sendAll(send, [...before, ...after])
  );
  const { wire, ignored } = await run(async (_scope, _receive, send) => {
    await sendAll(send, before);
    await assertRejects(() => send(event), InvalidEventError, message);
    await settled();
    await sendAll(send, after);
  }, options);
  assertEquals(ignored, []);
  assertEquals(wire.calls, plain.wire.calls);
}

async function sendAll(send: Send, events: SendEvent[]): Promise<void> {
  for (const event of events) await send(event);
}

// The table of a connection's phases: what must hold of any such table, and that
// it follows the closing handshake in both orders.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  nextPhase,
  type Phase,
  type PhaseEvent,
  PHASES,
  SENDING_PHASES,
} from "../../src/websocket/phases.ts";

const ALL = Object.keys(PHASES) as Phase[];

function follow(...events: PhaseEvent[]): Phase[] {
  let phase: Phase = "open";
  return events.map((event) => phase = nextPhase(phase, event));
}

Deno.test("A client's close is answered", () => {
  const phases = follow("client closes", "close", "close written");
  assertEquals(phases, ["ending", "answering", "closed"]);
});

Deno.test("The server's close is answered, before or after it was written", () => {
  assertEquals(follow("close", "close written", "client closes"), [
    "closing",
    "awaiting",
    "closed",
  ]);
  assertEquals(follow("close", "client closes", "close written"), [
    "closing",
    "answering",
    "closed",
  ]);
});

Deno.test("A client can be lost in every phase, and every phase can be reached", () => {
  for (const phase of ALL) assertEquals(nextPhase(phase, "lost"), "closed");
  const reached = new Set(ALL.flatMap((phase) => Object.values(PHASES[phase])));
  assertEquals(ALL.filter((phase) => !reached.has(phase)), ["open"]);
});

Deno.test("What comes after the end changes nothing", () => {
  for (const next of Object.values(PHASES.closed)) assertEquals(next, "closed");
});

Deno.test("nextPhase() throws for an event without an entry", () => {
  assertThrows(
    () => nextPhase("open", "close written"),
    Error,
    'unexpected "close written"',
  );
  assertThrows(() => nextPhase("closing", "close"), Error, "unexpected");
});

Deno.test("Messages are sent up to the server's close", () => {
  for (const phase of ALL) {
    assertEquals(SENDING_PHASES.has(phase), "close" in PHASES[phase], phase);
  }
  assert(SENDING_PHASES.has("ending"));
});

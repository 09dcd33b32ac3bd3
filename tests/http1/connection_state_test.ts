// The table of a connection, entry by entry, and what it says of waits.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CONNECTION_TABLE,
  type ConnectionEvent,
  ConnectionProgress,
  type ConnectionState,
} from "../../src/http1/connection_state.ts";

/** How a connection gets into each state. */
const PATHS: Record<ConnectionState, readonly ConnectionEvent[]> = {
  "fresh": [],
  "first head": ["bytes"],
  "idle": ["request", "answered"],
  "next head": ["request", "answered", "bytes"],
  "handling": ["request"],
  "draining": ["request", "unread"],
  "refusing": ["fault"],
  "lingering": ["request", "last"],
  "upgraded": ["request", "upgrade"],
  "closed": ["close"],
};

/** Every event, and from where it leads to where. */
const EVENTS: Record<
  ConnectionEvent,
  Partial<Record<ConnectionState, ConnectionState>>
> = {
  "bytes": {
    "fresh": "first head",
    "first head": "first head",
    "idle": "next head",
    "next head": "next head",
  },
  "request": {
    "fresh": "handling",
    "first head": "handling",
    "idle": "handling",
    "next head": "handling",
  },
  "answered": { "handling": "idle" },
  "unread": { "handling": "draining" },
  "drained": { "draining": "idle" },
  "last": { "handling": "lingering", "draining": "lingering" },
  "fault": {
    "fresh": "refusing",
    "first head": "refusing",
    "idle": "refusing",
    "next head": "refusing",
    "handling": "refusing",
  },
  "refused": { "refusing": "lingering" },
  "upgrade": { "handling": "upgraded" },
  "preface": { "fresh": "upgraded", "first head": "upgraded" },
  "close": {
    "fresh": "closed",
    "first head": "closed",
    "idle": "closed",
    "next head": "closed",
    "handling": "closed",
    "draining": "closed",
    "refusing": "closed",
    "lingering": "closed",
  },
};

const STATES = Object.keys(CONNECTION_TABLE) as ConnectionState[];

function inState(state: ConnectionState): ConnectionProgress {
  const progress = new ConnectionProgress(Infinity);
  for (const event of PATHS[state]) progress.advance(event);
  assertEquals(progress.state, state);
  return progress;
}

for (const state of STATES) {
  for (const event of Object.keys(EVENTS) as ConnectionEvent[]) {
    const next = EVENTS[event][state];
    const what = next === undefined ? "throws" : `leads to "${next}"`;
    Deno.test(`In state "${state}" of a connection, "${event}" ${what}`, () => {
      const progress = inState(state);
      if (next === undefined) {
        assertThrows(
          () => progress.advance(event),
          Error,
          `"${event}" must not come in state "${state}"`,
        );
      } else {
        assertEquals(progress.advance(event), next !== state);
      }
      assertEquals(progress.state, next ?? state);
    });
  }
}

Deno.test("A client keeps a connection waiting unless it is idle after a response, or handled", () => {
  const waiting = STATES.filter((state) =>
    inState(state).waitingSince !== undefined
  );
  assertEquals(
    waiting,
    ["fresh", "first head", "next head", "draining", "lingering"],
  );
});

Deno.test("The first head is waited for since the connection was made", () => {
  const progress = new ConnectionProgress(Infinity);
  const made = progress.waitingSince;
  assert(made !== undefined);
  progress.advance("bytes");
  assertEquals(progress.waitingSince, made);
});

Deno.test("A connection closes after its last request, or when it is to end", () => {
  const progress = new ConnectionProgress(2);
  progress.advance("request");
  assertEquals([progress.requests, progress.closing], [1, false]);
  progress.advance("answered");
  progress.advance("request");
  assertEquals([progress.requests, progress.closing], [2, true]);
  const ending = new ConnectionProgress(Infinity);
  ending.ending = true;
  assertEquals(ending.closing, true);
});

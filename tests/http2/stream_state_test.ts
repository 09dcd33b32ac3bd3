// Every frame in every state, in both directions: what it leads to, or its error.
// The expectations are written frame by frame, as RFC 9113, section 5.1, and not
// copied from the table.

import { assertEquals, assertThrows } from "@std/assert";
import { type ErrorName, Http2Error } from "../../src/http2/frames.ts";
import {
  nextStreamState,
  STREAM_TABLE,
  type StreamEvent,
  type StreamState,
} from "../../src/http2/stream_state.ts";
import { assertHttp2Error } from "./_errors.ts";

const STREAM = 7;
const LETTERS: Record<string, StreamState> = {
  idle: "idle",
  open: "open",
  remote: "half-closed (remote)",
  local: "half-closed (local)",
  closed: "closed",
  reset: "reset",
};

/** A state, an error of the connection (C) or the stream (S), or a mistake (–). */
const CELLS = `
  frame                     idle    open    remote  local   closed  reset
  received HEADERS          open    S:P     S:SC    S:P     C:SC    reset
  received last HEADERS     remote  remote  S:SC    closed  C:SC    reset
  received DATA             C:P     open    S:SC    local   C:SC    reset
  received last DATA        C:P     remote  S:SC    closed  C:SC    reset
  received RST_STREAM       C:P     closed  closed  closed  closed  reset
  received WINDOW_UPDATE    C:P     open    remote  local   closed  reset
  received PRIORITY         idle    open    remote  local   closed  reset
  sent HEADERS              –       open    remote  –       –       –
  sent last HEADERS         –       local   closed  –       –       –
  sent DATA                 –       open    remote  –       –       –
  sent last DATA            –       local   closed  –       –       –
  sent RST_STREAM           –       reset   reset   reset   –       –
  sent WINDOW_UPDATE        –       open    –       local   –       –
`;
const CODES: Record<string, ErrorName> = {
  P: "PROTOCOL_ERROR",
  SC: "STREAM_CLOSED",
};

const [heads, ...rows] = CELLS.trim().split("\n").map((line) =>
  line.trim().split(/ {2,}/)
);
const EVENTS = rows.map(([event]) => event as StreamEvent);

for (const [event, ...cells] of rows) {
  for (const [i, cell] of cells.entries()) {
    const state = LETTERS[heads[i + 1]];
    Deno.test(`On a stream that is ${state}, "${event}" gives ${cell}`, () => {
      const call = () => nextStreamState(STREAM, state, event as StreamEvent);
      const [scope, code] = cell.split(":");
      if (cell === "–") {
        const error = assertThrows(call, Error, `"${event}" must not come`);
        assertEquals(error instanceof Http2Error, false);
      } else if (code !== undefined) {
        const on = scope === "S" ? STREAM : undefined;
        assertHttp2Error(call, CODES[code], on);
      } else {
        assertEquals(call(), LETTERS[cell]);
      }
    });
  }
}

Deno.test("The table lists no other state, and no other frame", () => {
  assertEquals(Object.keys(STREAM_TABLE), Object.values(LETTERS));
  const listed = Object.values(STREAM_TABLE).flatMap(Object.keys);
  assertEquals(
    listed.filter((event) => !EVENTS.includes(event as StreamEvent)),
    [],
  );
});

// Each event in each state: those that the table lists, and the error for others.

import { assertEquals } from "@std/assert";
import {
  nextRequestState,
  REQUEST_TABLE,
  type RequestEvent,
  type RequestState,
} from "../../src/http3/request_state.ts";
import { assertHttp3Error } from "./_errors.ts";

const EVENTS: RequestEvent[] = ["HEADERS", "DATA", "connect", "end", "cancel"];

Deno.test("A request is fields, content, trailers, and its end", () => {
  const events: RequestEvent[] = ["HEADERS", "DATA", "DATA", "HEADERS", "end"];
  const last = events.reduce<RequestState>(nextRequestState, "head");
  assertEquals(last, "ended");
});

Deno.test("What a state does not list is an error", () => {
  let refused = 0;
  for (const state of Object.keys(REQUEST_TABLE) as RequestState[]) {
    for (const event of EVENTS) {
      const next = REQUEST_TABLE[state][event];
      if (next !== undefined) {
        assertEquals(nextRequestState(state, event), next);
      } else {
        refused++;
        const act = () => nextRequestState(state, event);
        assertHttp3Error(act, "H3_FRAME_UNEXPECTED");
      }
    }
  }
  assertEquals(refused, 17);
});

import { assert, assertEquals } from "@std/assert";
import { CONNECTION_TABLE } from "../../src/http/stream_connection_state.ts";

Deno.test("Every state can be left, and leads to the close", () => {
  for (const [state, events] of Object.entries(CONNECTION_TABLE)) {
    if (state === "closed") assertEquals(events, {});
    else assertEquals(events.close, "closed", state);
  }
});

Deno.test("A connection that serves no more never serves again", () => {
  for (const state of ["left", "lingering", "closed"] as const) {
    for (const next of Object.values(CONNECTION_TABLE[state])) {
      assert(["left", "lingering", "closed"].includes(next));
    }
  }
});

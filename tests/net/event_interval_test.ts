// How often the event loop polls sockets, as the environment says.

import { assertEquals } from "@std/assert";
import { readEventInterval } from "../../src/net/event_interval.ts";
import { granted } from "../e2e/_testing.ts";

const VARIABLE = "DENO_TOKIO_EVENT_INTERVAL";
const DEFAULT_TURNS = 61;

for (
  const [value, turns] of [
    ["1", 1],
    ["7", 7],
    ["", DEFAULT_TURNS],
    ["0", DEFAULT_TURNS],
    ["-1", DEFAULT_TURNS],
    ["1.5", DEFAULT_TURNS],
    ["often", DEFAULT_TURNS],
    [undefined, DEFAULT_TURNS],
  ] as const
) {
  Deno.test({
    name: `readEventInterval takes ${JSON.stringify(value)} for ${turns} turns`,
    ignore: !granted("env"),
    fn() {
      const before = Deno.env.get(VARIABLE);
      try {
        setVariable(value);
        assertEquals(readEventInterval(), turns);
      } finally {
        setVariable(before);
      }
    },
  });
}

Deno.test({
  name: "readEventInterval does not ask for a permission",
  permissions: { env: false },
  fn: () => assertEquals(readEventInterval(), DEFAULT_TURNS),
});

function setVariable(value: string | undefined): void {
  if (value === undefined) Deno.env.delete(VARIABLE);
  else Deno.env.set(VARIABLE, value);
}

import { assertEquals } from "@std/assert";
import { DEFAULT_PRIORITY } from "../../src/http/priority.ts";
import { readPriorityUpdate } from "../../src/http2/priority_update.ts";
import { frame, uint32 } from "./_frames.ts";

function update(streamId: number, value: string) {
  const payload = [...uint32(streamId), ...new TextEncoder().encode(value)];
  return readPriorityUpdate(frame(16, 0, 0, payload));
}

Deno.test("PRIORITY_UPDATE names a stream of the client, and its priority", () => {
  const priority = { urgency: 1, incremental: false };
  assertEquals(update(5, "u=1"), { streamId: 5, priority });
  assertEquals(update(0x8000_0005, "u=1"), { streamId: 5, priority });
  assertEquals(update(4, "u=1"), undefined);
  assertEquals(update(5, "?"), { streamId: 5, priority: DEFAULT_PRIORITY });
});

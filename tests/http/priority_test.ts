// Priorities are read as far as they can be, and are never an error.

import { assertEquals } from "@std/assert";
import {
  DEFAULT_PRIORITY,
  parsePriority,
  PendingPriorities,
} from "../../src/http/priority.ts";
import { Random } from "../websocket/_random.ts";

const READ: [value: string, urgency: number, incremental: boolean][] = [
  ["", 3, false],
  ["u=0", 0, false],
  ["u=7", 7, false],
  ["i", 3, true],
  ["u=1, i", 1, true],
  ["i,u=1", 1, true],
  [" u=1 \t,\t i ", 1, true],
  ["i=?1", 3, true],
  ["i=?0", 3, false],
  ["u=1, u=5", 5, false],
  ["i, i=?0", 3, false],
  ["u=8", 3, false],
  ["u=-1", 3, false],
  ["u=1.0", 3, false],
  ["u", 3, false],
  ['u="1"', 3, false],
  ["u=a", 3, false],
  ["u=(1 2)", 3, false],
  ["u=5;a=1;b", 5, false],
  ["i;u=0", 3, true],
  ["i=1", 3, false],
  ['x="u=0, i", u=2', 2, false],
  ["x=:aGk=:, y=*a/b:c, z=?0, u=2", 2, false],
  ['x=(1 "a b" c;d=1);e, u=2', 2, false],
  ["x=(), u=2", 2, false],
];

for (const [value, urgency, incremental] of READ) {
  Deno.test(`The priority ${JSON.stringify(value)} is read`, () => {
    assertEquals(parsePriority(value), { urgency, incremental });
  });
}

const IGNORED = [
  "u=",
  "U=1",
  "u=1,",
  ",u=1",
  "u=1 i",
  "u=1;",
  "u =1",
  "=1",
  'x="',
  "x=(1",
  "x=?2",
  "u=1234567890123456",
  "u=1\0",
  "\xff",
  "u=1" + ", u=1".repeat(100),
];

for (const value of [undefined, ...IGNORED]) {
  Deno.test(`The priority ${JSON.stringify(value?.slice(0, 20))} is none`, () => {
    assertEquals(parsePriority(value), DEFAULT_PRIORITY);
  });
}

Deno.test("Any value gives a priority", () => {
  const random = new Random(9);
  const alphabet = [...'ui=0137?;, ()"\\:*a.-\0\xff\t'];
  for (let i = 0; i < 20_000; i++) {
    const length = random.integer(0, 30);
    const value = Array.from({ length }, () => random.pick(alphabet)).join("");
    const { urgency, incremental } = parsePriority(value);
    assertEquals([0, 1, 2, 3, 4, 5, 6, 7].includes(urgency), true, value);
    assertEquals(typeof incremental, "boolean", value);
  }
});

Deno.test("Priorities of streams that have not begun are kept, up to 100", () => {
  const pending = new PendingPriorities();
  const low = { urgency: 6, incremental: false };
  const high = { urgency: 1, incremental: false };
  for (let i = 0; i < 150; i++) {
    pending.set({ streamId: 2 * i + 1, priority: low });
  }
  pending.set({ streamId: 1, priority: high });
  assertEquals(pending.take(1), high);
  assertEquals(pending.take(1), undefined);
  assertEquals(pending.take(199), low);
  assertEquals(pending.take(3), undefined, "a stream below one that has begun");
  assertEquals(pending.take(201), undefined);
  pending.set({ streamId: 203, priority: high });
  assertEquals(pending.take(203), high);
});

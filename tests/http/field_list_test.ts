// A list of fields: both limits, and that nothing comes after what was left out.

import { assert, assertEquals } from "@std/assert";
import {
  FieldCollector,
  FieldEntry,
  type FieldListLimits,
  fieldSize,
  isTooLarge,
} from "../../src/http/field_list.ts";

function listOf(limits: Partial<FieldListLimits>, ...values: string[]) {
  const list = new FieldCollector({
    maxListSize: 1000,
    maxFields: 10,
    ...limits,
  });
  for (const value of values) {
    list.add(new FieldEntry("n", value, (_, { length }) => length));
  }
  return list;
}

Deno.test("a list holds fields with their kinds, and counts them", () => {
  const { fields, kinds, size, count, tooLarge } = listOf({}, "a", "bc");
  assertEquals(fields, [["n", "a"], ["n", "bc"]]);
  assertEquals(kinds, [1, 2]);
  assertEquals([size, count, tooLarge], [69, 2, false]);
});

Deno.test("past its size, a list counts, and holds nothing more", () => {
  const list = listOf({ maxListSize: 70 }, "a", "bcdef", "g", "");
  assertEquals(list.fields, [["n", "a"]]);
  assertEquals(list.kinds.length, 1);
  assertEquals([list.size, list.count, list.tooLarge], [
    34 + 38 + 34 + 33,
    4,
    true,
  ]);
});

Deno.test("past its number of fields, a list counts, and holds nothing more", () => {
  const list = listOf({ maxFields: 2 }, "a", "b", "c");
  assertEquals(list.fields, [["n", "a"], ["n", "b"]]);
  assertEquals([list.count, list.tooLarge], [3, true]);
});

Deno.test("fieldSize() counts 32 beyond the bytes of name and value", () => {
  assertEquals(fieldSize("custom-key", "custom-header"), 55);
  assertEquals(fieldSize("", ""), 32);
});

Deno.test("A list is too large by its fields, not by pseudo-fields", () => {
  const list = new FieldCollector({ maxListSize: 1000, maxFields: 5 });
  for (const name of [":method", ":path", "a", "b"]) {
    list.add(new FieldEntry(name, "", () => 0));
  }
  assert(!isTooLarge(list, 2));
  assert(isTooLarge(list, 1));
  list.add(new FieldEntry("c", "", () => 0));
  list.add(new FieldEntry("d", "", () => 0));
  assert(isTooLarge(list, 9), "fields are missing");
});

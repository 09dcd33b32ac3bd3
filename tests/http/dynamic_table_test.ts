// The dynamic table: what is added is found by its age, and what does not fit
// leaves, the oldest first.

import { assertEquals } from "@std/assert";
import { DynamicTable } from "../../src/http/dynamic_table.ts";
import { Random } from "../_feeding.ts";

interface Entry {
  readonly id: number;
  readonly size: number;
}

/** The numbers of all entries, the newest first. */
function idsIn(table: DynamicTable<Entry>): number[] {
  return Array.from({ length: table.length }, (_, age) => table.get(age)!.id);
}

Deno.test("the newest entry of a table has the age 0", () => {
  const table = new DynamicTable<Entry>(100);
  for (const id of [1, 2, 3]) assertEquals(table.add({ id, size: 20 }), true);
  assertEquals(idsIn(table), [3, 2, 1]);
  assertEquals([table.size, table.length, table.added], [60, 3, 3]);
  assertEquals(table.get(3), undefined);
});

Deno.test("the oldest entries make room for a new one", () => {
  const left: number[] = [];
  const table = new DynamicTable<Entry>(100, ({ id }) => left.push(id));
  for (const id of [1, 2, 3]) table.add({ id, size: 33 });
  table.add({ id: 4, size: 60 });
  assertEquals([idsIn(table), left], [[4, 3], [1, 2]]);
  assertEquals(table.size, 93);
});

Deno.test("an entry that is larger than its table empties it", () => {
  const table = new DynamicTable<Entry>(100);
  table.add({ id: 1, size: 50 });
  assertEquals(table.add({ id: 2, size: 101 }), false);
  assertEquals([table.length, table.size, table.added], [0, 0, 1]);
  assertEquals(table.add({ id: 3, size: 100 }), true);
  assertEquals(idsIn(table), [3]);
});

Deno.test("a smaller capacity lets the oldest entries go", () => {
  const table = new DynamicTable<Entry>(200);
  for (const id of [1, 2, 3, 4]) table.add({ id, size: 50 });
  table.resize(149);
  assertEquals(idsIn(table), [4, 3]);
  table.resize(1000);
  assertEquals(idsIn(table), [4, 3]);
  table.resize(0);
  assertEquals([table.length, table.size, table.capacity], [0, 0, 0]);
  assertEquals(table.add({ id: 5, size: 32 }), false);
});

Deno.test("a table behaves as a list that is cut, whatever comes", () => {
  const random = new Random(4096);
  const table = new DynamicTable<Entry>(1000);
  let [model, capacity]: [Entry[], number] = [[], 1000];
  for (let id = 0; id < 20_000; id++) {
    if (random.oneIn(20)) table.resize(capacity = random.below(3000));
    else {
      const entry = {
        id,
        size: 32 + random.below(random.pick([1, 100, 3000])),
      };
      table.add(entry);
      model = [entry, ...model];
    }
    while (model.reduce((sum, { size }) => sum + size, 0) > capacity) {
      model = model[0].size > capacity ? [] : model.slice(0, -1);
    }
    assertEquals(idsIn(table), model.map(({ id }) => id));
    assertEquals(table.get(model.length), undefined);
  }
});

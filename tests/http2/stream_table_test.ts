// The table of open streams: it must do what a Map does.

import { assertEquals } from "@std/assert";
import { StreamTable } from "../../src/http2/stream_table.ts";

/** Numbers that look random, the same in each run. */
function* numbers(): Generator<number, never> {
  for (let state = 1;;) {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    yield state >>> 8;
  }
}

/** Holds a table against a Map. */
class Pair {
  readonly table = new StreamTable<{ readonly id: number }>();
  readonly map = new Map<number, { readonly id: number }>();

  add(id: number): void {
    const stream = { id };
    this.table.add(stream);
    this.map.set(id, stream);
  }

  delete(id: number): void {
    this.table.delete(id);
    this.map.delete(id);
  }

  check(ids: Iterable<number>): void {
    assertEquals(this.table.size, this.map.size);
    for (const id of ids) assertEquals(this.table.get(id), this.map.get(id));
  }
}

Deno.test("A table has what was added and not deleted", () => {
  const pair = new Pair();
  pair.add(1);
  pair.add(3);
  pair.delete(1);
  pair.check([1, 3, 5]);
  pair.delete(1);
  pair.check([1, 3, 5]);
  assertEquals(pair.table.all(), [{ id: 3 }]);
});

Deno.test("A table takes any number of streams, the oldest first", () => {
  const pair = new Pair();
  for (let id = 1; id < 1000; id += 2) pair.add(id);
  pair.check(pair.map.keys());
  assertEquals(pair.table.all().map(({ id }) => id), [...pair.map.keys()]);
});

Deno.test("A table does what a Map does, whatever comes and goes", () => {
  const random = numbers();
  for (const most of [3, 8, 60]) {
    const pair = new Pair();
    for (let id = 1; id < 4001; id += 2) {
      // Some places are far apart, others belong to several.
      if (random.next().value % 3 > 0) pair.add(id);
      while (pair.map.size > most) {
        const ids = [...pair.map.keys()];
        pair.delete(ids[random.next().value % ids.length]);
      }
      pair.check([...pair.map.keys(), id, id + 2, id - 32]);
    }
  }
});

Deno.test("A table finds streams that share a place", () => {
  const pair = new Pair();
  // Of 16 places, these are all for the first, and it is full around the end.
  for (const id of [31, 63, 1, 33, 95]) pair.add(id);
  for (const id of [63, 1, 31]) {
    pair.delete(id);
    pair.check([31, 63, 1, 33, 95]);
  }
});

// What has been added and not removed is listed in the order of age, whatever
// has left before; and what has left keeps nothing else in memory.

import { assertEquals } from "@std/assert";
import { AgeList } from "../../src/server/age_list.ts";

/** A list of names, and the place of each. */
function listOf(names: string) {
  const list = new AgeList<string>();
  const places = new Map(
    Array.from(names, (name) => [name, list.add(name)] as const),
  );
  return {
    list,
    place: (name: string) => places.get(name)!,
    remove: (name: string) => list.remove(places.get(name)!),
  };
}

Deno.test("Members are listed from the oldest to the youngest", () => {
  const { list } = listOf("abc");
  assertEquals([list.size, ...list], [3, "a", "b", "c"]);
  assertEquals([...new AgeList()], []);
});

Deno.test("Members leave in any order, and the others keep theirs", () => {
  for (const order of ["abcd", "dcba", "bcad", "cbda", "badc"]) {
    const { list, remove } = listOf("abcd");
    let left = "abcd";
    for (const name of order) {
      remove(name);
      left = left.replace(name, "");
      assertEquals([list.size, ...list], [left.length, ...left]);
    }
    list.add("e");
    assertEquals([list.size, ...list], [1, "e"]);
  }
});

Deno.test("A new member is the youngest, whichever have left", () => {
  const { list, remove } = listOf("abc");
  remove("c");
  list.add("d");
  remove("a");
  list.add("e");
  assertEquals([...list], ["b", "d", "e"]);
});

Deno.test("A member that leaves twice leaves once", () => {
  for (const name of "abc") {
    const { list, remove } = listOf("abc");
    remove(name);
    remove(name);
    assertEquals([...list].join(""), "abc".replace(name, ""));
    assertEquals(list.size, 2);
  }
  const { list, remove } = listOf("a");
  remove("a");
  remove("a");
  assertEquals(list.size, 0);
});

Deno.test("A member that has left keeps its neighbours no longer", () => {
  const { remove, place } = listOf("abc");
  remove("b");
  assertEquals([place("b").older, place("b").younger], [undefined, undefined]);
  assertEquals(place("a").younger, place("c"));
});

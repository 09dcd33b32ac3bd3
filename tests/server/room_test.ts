// Who makes room for others: the idle, then those who keep the server waiting,
// each in the order of age; and never a request that is being handled.

import { assertEquals } from "@std/assert";
import { type Evictable, evictOne, evictSome } from "../../src/server/room.ts";

const NOW = 100_000;

/** Connections by name, and the names of those that were evicted, in order. */
class Connections {
  readonly evicted: string[] = [];
  readonly all: Evictable[] = [];

  idle(name: string): this {
    return this.#add(name, true, undefined);
  }

  busy(name: string): this {
    return this.#add(name, false, undefined);
  }

  waiting(name: string, forMs: number): this {
    return this.#add(name, false, NOW - forMs);
  }

  #add(
    name: string,
    evictable: boolean,
    waitingSince: number | undefined,
  ): this {
    const evict = (): void => void this.evicted.push(name);
    this.all.push({ evictable, waitingSince, evict });
    return this;
  }
}

Deno.test("The oldest idle connection makes room first", () => {
  const connections = new Connections()
    .busy("busy").waiting("long", 60_000).idle("idle").idle("younger");
  assertEquals(evictOne(connections.all, NOW), 0);
  assertEquals(connections.evicted, ["idle"]);
});

Deno.test("Without an idle one, the one that has kept waiting longest does", () => {
  const connections = new Connections()
    .waiting("short", 2_000).waiting("longest", 9_000).waiting("long", 5_000);
  assertEquals(evictOne(connections.all, NOW), 0);
  assertEquals(connections.evicted, ["longest"]);
});

Deno.test("A client that has just come is given a moment", () => {
  const connections = new Connections().waiting("a", 100).waiting("b", 900);
  assertEquals(evictOne(connections.all, NOW), 100);
  assertEquals(evictOne(connections.all, NOW + 99), 1);
  assertEquals(connections.evicted, []);
  assertEquals(evictOne(connections.all, NOW + 100), 0);
  assertEquals(connections.evicted, ["b"]);
});

Deno.test("A request that is being handled is never cut for others", () => {
  const connections = new Connections().busy("a").busy("b");
  assertEquals(evictOne(connections.all, NOW), Infinity);
  evictSome(connections.all, 2, NOW);
  assertEquals(connections.evicted, []);
});

Deno.test("Several make room in the same order", () => {
  const connections = new Connections()
    .waiting("long", 5_000).idle("idle").waiting("longer", 9_000)
    .waiting("new", 10).busy("busy").idle("younger");
  evictSome(connections.all, 3, NOW);
  assertEquals(connections.evicted, ["idle", "younger", "longer"]);
  evictSome(connections.all, 100, NOW);
  assertEquals(connections.evicted.slice(3), [
    ...["idle", "younger", "longer", "long"],
  ]);
});

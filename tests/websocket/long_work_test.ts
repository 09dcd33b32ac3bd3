// Turns at long work: few in each turn of the event loop, in the order in which
// they were asked for, so that one that asks again comes after the others.

import { assert, assertEquals } from "@std/assert";
import { nextPoll } from "../../src/streams/fair_share.ts";
import { nextTurn } from "../../src/websocket/long_work.ts";

Deno.test("nextTurn() lets few go on at a time, in order", async () => {
  const begun: string[] = [];
  async function work(name: string): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      begun.push(name);
    }
  }
  const names = ["a", "b", "c", "d", "e"];
  const works = names.map(work);
  for (let before = 0; begun.length < 15; before = begun.length) {
    await nextPoll();
    assert(begun.length - before <= 4, `${begun}`);
  }
  assertEquals(begun, [...names, ...names, ...names]);
  await Promise.all(works);
});

// How the work on all connections shares the event loop: a share ends, those who
// ask wait in their order until sockets were polled, and nobody waits for ever.
// What becomes of connections is held by tests/e2e/fairness_test.ts.

import { assert, assertEquals } from "@std/assert";
import {
  giveWay,
  giveWayAt,
  LARGE_STEP,
} from "../../src/streams/fair_share.ts";
import { bounded } from "../e2e/_testing.ts";

/** What Deno does unless its environment says otherwise. */
const TURNS_TO_POLL = 61;

/** Takes steps without a turn until there must be one; returns the wait for it. */
function useUp(): Promise<void> {
  for (let large = 0; large < 1000; large++) {
    const share = giveWay(LARGE_STEP);
    if (share !== undefined) return share;
  }
  throw new Error("A share has no end");
}

async function freshShare(): Promise<void> {
  await bounded(useUp(), "the next share");
}

Deno.test("giveWay lets some steps pass, and ends the share by their number", async () => {
  await freshShare();
  assertEquals(giveWay(1), undefined);
  const share = useUp();
  assert(giveWay(1) instanceof Promise, "A small step did not wait");
  await bounded(share, "the next share");
  assertEquals(giveWay(1), undefined);
});

Deno.test("giveWay ends a share of small steps as well", async () => {
  await freshShare();
  let steps = 0;
  while (giveWay(1) === undefined) {
    if (++steps > 100_000) throw new Error("A share has no end");
  }
  assert(steps > 0);
});

Deno.test("giveWay lets those who wait go on in the order of asking", async () => {
  await freshShare();
  const order: number[] = [];
  const first = useUp().then(() => order.push(0));
  const rest = [1, 2, 3].map((n) => giveWay(1)!.then(() => order.push(n)));
  await bounded(Promise.all([first, ...rest]), "the next share");
  assertEquals(order, [0, 1, 2, 3]);
});

Deno.test("giveWay waits for as many turns as pass from one poll to the next", async () => {
  await freshShare();
  const turns = countTurns();
  await bounded(useUp(), "the next share");
  assert(turns() >= TURNS_TO_POLL, `Only ${turns()} turns have passed`);
});

Deno.test("giveWay divides those who wait among shares if they are many", async () => {
  await freshShare();
  const share = useUp();
  let resumed = 0;
  let atNextTurn: number | undefined;
  const waits = Array.from({ length: 2000 }, async () => {
    await giveWay(LARGE_STEP);
    if (resumed++ === 0) setImmediate(() => atNextTurn = resumed);
  });
  await bounded(Promise.all([share, ...waits]), "all who wait");
  assert(atNextTurn !== undefined, "No turn has passed between them");
  assert(atNextTurn < 2000, "All have gone on in one share");
});

Deno.test("giveWayAt lets runs of small steps pass", async () => {
  await freshShare();
  const share = useUp();
  for (let taken = 1; taken < LARGE_STEP; taken++) {
    assertEquals(giveWayAt(taken), undefined);
  }
  assert(giveWayAt(LARGE_STEP) instanceof Promise);
  await bounded(share, "the next share");
});

/** Counts the turns of the event loop from now on, up to a hundred. */
function countTurns(): () => number {
  let turns = 0;
  function onTurn(): void {
    if (++turns < 100) setImmediate(onTurn);
  }
  setImmediate(onTurn);
  return () => turns;
}

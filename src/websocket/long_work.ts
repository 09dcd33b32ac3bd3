/**
 * Turns at long work. Compression runs on the event loop, and while it does,
 * nobody else is served. So the start of a message is dealt with at once, and what
 * exceeds it goes on in turns: a few pieces of all long messages together between
 * two polls of the sockets, first come, first served. A connection that has had its
 * turn queues up again, so that no long message holds up another one for longer
 * than a piece takes.
 *
 * @module
 */

import { nextPoll } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";

/** Some milliseconds of work, where a piece takes one or two. */
const PIECES_EACH_TURN = 2;

const waiting: (() => void)[] = [];

/** Resolves when the caller may work on one more piece. */
export function nextTurn(): Promise<void> {
  return new Promise((begin) => {
    waiting.push(begin);
    if (waiting.length === 1) handled(beginAll()); // It cannot reject.
  });
}

async function beginAll(): Promise<void> {
  while (waiting.length > 0) {
    await nextPoll();
    for (const begin of waiting.splice(0, PIECES_EACH_TURN)) begin();
  }
}

// When all that can happen without a client, or a clock, has happened.

import { setImmediate } from "node:timers";
import { giveWay } from "../src/streams/fair_share.ts";

/** Lets everything happen that waits for nothing from outside. */
export function settled(): Promise<void> {
  return turns((resolve) => setTimeout(resolve, 0));
}

/** As {@linkcode settled}, but faster: for what waits for no timer either. */
export function settledSoon(): Promise<void> {
  return turns((resolve) => setImmediate(resolve));
}

async function turns(next: (resolve: () => void) => void): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) {
    // On a slow machine, the server may have to wait for its next share.
    const wait = giveWay(0);
    if (wait !== undefined) quiet = 0;
    await wait;
    await new Promise<void>(next);
  }
}

/** Whether a promise is pending when all that can happen has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  function settle(): void {
    pending = false;
  }
  promise.then(settle, settle);
  await settled();
  return pending;
}

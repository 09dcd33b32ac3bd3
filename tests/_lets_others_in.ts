// Whether long work, all of which is ready at once, lets others have the event
// loop before it is done.

import { bounded } from "./e2e/_testing.ts";

/** Whether something else got its turn while `work` was being done. */
export async function letsOthersIn(
  work: () => Promise<void>,
): Promise<boolean> {
  let isDone = false;
  const others = new Promise<boolean>((resolve) =>
    setImmediate(() => resolve(!isDone))
  );
  await bounded(work(), "the work");
  isDone = true;
  return await others;
}

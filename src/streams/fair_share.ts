/**
 * Keeps one connection from holding the event loop while others wait.
 *
 * Work that is always ready never leaves the queue of microtasks: a socket that
 * always has data, a read that brought ten thousand tiny messages, an application
 * that awaits what is there already. So all work on connections is done in steps,
 * with a call of {@linkcode giveWay} after each.
 *
 * All steps together use up a share: some milliseconds, or some thousand small
 * steps, whichever is over first. After a share, sockets should be polled; mostly
 * that happens by itself, while the next share is being used. If that is used up
 * too, all callers wait for the poll, and continue in the order of their calls.
 *
 * As long as the event loop has work, Deno polls sockets only once in 61 of its
 * turns, so the wait is that many turns; each takes some 2 µs while all wait.
 * Where `DENO_TOKIO_EVENT_INTERVAL=1` makes Deno poll in each turn, the same wait
 * leaves time to answer the connections that the poll found.
 *
 * @module
 */

/** What a large step counts for, such as 64 KiB, or a run of small ones. */
export const LARGE_STEP = 32;

/**
 * A share ends by either. By its steps, since what one turn of the event loop
 * brings is asked for before any of it is worked on: at most 128 reads of 128 KiB.
 */
const MAX_MS = 6;
const MAX_STEPS = 256 * LARGE_STEP;
const TURNS_TO_POLL = 61;

/** When the share began, its steps, and when to read the clock. */
let begin = 0;
let steps = 0;
let nextLook = LARGE_STEP;
/** Resolves when sockets have been polled; set while that is due. */
let poll: Promise<void> | undefined;
/** Whether nobody may go on before that. */
let isOver = false;

/**
 * To be called after each step of the work on a connection.
 *
 * @param count What the step counts for: 1 for a small one.
 * @returns When the next step may be taken; `undefined` if that is now.
 */
export function giveWay(count: number): Promise<void> | undefined {
  return mayGoOn(count) ? undefined : waitForShare(count);
}

/**
 * As {@linkcode giveWay}, for small steps that may follow each other without end:
 * it lets runs of them pass, since what comes together should leave together.
 *
 * @param taken How many of its steps the caller has taken.
 */
export function giveWayAt(taken: number): Promise<void> | undefined {
  return taken % LARGE_STEP === 0 ? giveWay(LARGE_STEP) : undefined;
}

/**
 * Resolves when sockets have been polled: for work that would use a share up by
 * itself, so that it is done piece by piece between polls.
 */
export function nextPoll(): Promise<void> {
  return poll ??= waitForPoll();
}

function mayGoOn(count: number): boolean {
  if (isOver) return false;
  steps += count;
  if (steps < nextLook) return true;
  nextLook = steps + LARGE_STEP;
  if (steps < MAX_STEPS && performance.now() - begin < MAX_MS) return true;
  if (poll !== undefined) {
    isOver = true;
    return false;
  }
  poll = waitForPoll();
  beginShare();
  return true;
}

/** Each who has waited counts as for a step: all may go on at once. */
async function waitForShare(count: number): Promise<void> {
  do await poll; while (!mayGoOn(count));
}

function waitForPoll(): Promise<void> {
  return new Promise((resolve) => {
    let turns = TURNS_TO_POLL;
    function onTurn(): void {
      if (--turns > 0) {
        setImmediate(onTurn);
        return;
      }
      poll = undefined;
      isOver = false;
      beginShare();
      resolve();
    }
    setImmediate(onTurn);
  });
}

function beginShare(): void {
  begin = performance.now();
  steps = 0;
  nextLook = LARGE_STEP;
}

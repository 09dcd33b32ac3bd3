/**
 * Puts work off to the next turn of the event loop, all of it by one timer: for a
 * small response, a timer of its own would cost a tenth of everything else.
 *
 * @module
 */

/**
 * What is put off, in the order in which it was, or was and was called off. It is
 * no `Set`: that would keep what was called off in memory for long.
 */
let tasks: PutOffTask[] = [];
/** How many tasks are due. */
let due = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** A task that can be put off, again and again. */
export class PutOffTask {
  readonly #run: () => void;
  #isDue = false;

  /** It is run in the turn after it was put off. */
  constructor(run: () => void) {
    this.#run = run;
  }

  /** Runs the task in the next turn, once, however often it was put off. */
  putOff(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    due++;
    tasks.push(this);
    timer ??= setTimeout(runAll, 0);
  }

  /** Does not run the task any more. */
  callOff(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    if (--due > 0) return;
    tasks = [];
    clearTimeout(timer);
    timer = undefined;
  }

  /** Runs the task, unless it was called off. */
  runIfDue(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    due--;
    this.#run();
  }
}

function runAll(): void {
  const all = tasks;
  tasks = [];
  timer = undefined;
  for (const task of all) task.runIfDue();
}

/**
 * Puts work off to the next turn of the event loop, all of it by one timer: for a
 * small response, a timer of its own would cost a tenth of everything else.
 *
 * @module
 */

/** What is put off, in the order in which it was. */
const tasks = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `task` in the next turn, once, however often it was put off. */
export function putOff(task: () => void): void {
  tasks.add(task);
  timer ??= setTimeout(runAll, 0);
}

/** Does not call `task` any more. */
export function callOff(task: () => void): void {
  if (!tasks.delete(task) || tasks.size > 0) return;
  clearTimeout(timer);
  timer = undefined;
}

function runAll(): void {
  timer = undefined;
  const due = Array.from(tasks);
  tasks.clear();
  for (const task of due) task();
}

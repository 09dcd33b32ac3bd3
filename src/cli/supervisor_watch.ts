/**
 * Watches from a worker whether its supervisor is there: a worker that outlives
 * it keeps the port, and nothing replaces or stops it. The end of the channel is
 * not sufficient: Deno does not report it while a message to the
 * supervisor is unread, and reports nothing to an event loop that does not turn.
 * So a separate thread checks the parent process, and can end this one.
 *
 * @module
 */

/** The time between two checks, in milliseconds. */
const INTERVAL_MS = 500;

/** What a {@linkcode watchSupervisor} needs. */
export interface SupervisorWatchOptions {
  /** The process id of the supervisor. */
  readonly supervisor: number;
  /** Called once when the supervisor is gone, if this thread is not busy. */
  readonly onGone: () => void;
  /** How long this process may go on after that, in milliseconds. */
  readonly graceMs: number;
}

/** Watches until it is disposed of. */
export function watchSupervisor(
  { supervisor, onGone, graceMs }: SupervisorWatchOptions,
): Disposable {
  // Windows reports the id of a parent that has ended, too.
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  // A data URL: a module would need the permission to read its file.
  const args = [supervisor, INTERVAL_MS, graceMs].join();
  const text = encodeURIComponent(`(${endWithParent})(${args})`);
  const thread = new Worker(`data:text/javascript,${text}`, { type: "module" });
  thread.onmessage = onGone;
  return { [Symbol.dispose]: () => thread.terminate() };
}

/** What the thread runs: its source, so that it can use nothing from outside. */
function endWithParent(
  parent: number,
  intervalMs: number,
  graceMs: number,
): void {
  const timer = setInterval(() => {
    if (Deno.ppid === parent) return;
    clearInterval(timer);
    (self as unknown as MessagePort).postMessage("gone");
    // An exit would end this thread alone.
    setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), graceMs);
  }, intervalMs);
}

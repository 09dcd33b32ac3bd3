// Counts the timers that are pending in this process. To be imported before
// anything that might keep `setTimeout` under another name.

const pending = new Set<unknown>();

/** How many timers are pending: timeouts that are to come, and intervals. */
export function pendingTimers(): number {
  return pending.size;
}

const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;

globalThis.setTimeout = ((
  callback: (...args: unknown[]) => void,
  ms?: number,
  ...args: unknown[]
) => {
  const timer = setTimeout(() => {
    pending.delete(timer);
    callback(...args);
  }, ms);
  pending.add(timer);
  return timer;
}) as typeof setTimeout;

globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
  const timer = setInterval(...args);
  pending.add(timer);
  return timer;
}) as typeof setInterval;

globalThis.clearTimeout = ((timer?: Parameters<typeof clearTimeout>[0]) => {
  pending.delete(timer);
  clearTimeout(timer);
}) as typeof clearTimeout;

globalThis.clearInterval = ((timer?: Parameters<typeof clearInterval>[0]) => {
  pending.delete(timer);
  clearInterval(timer);
}) as typeof clearInterval;

/**
 * The few waits of the test client that are bounded by a clock.
 *
 * @module
 */

/** Lets everything happen that waits for nothing from outside. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether a promise is fulfilled within `ms` milliseconds; throws as it does. */
export async function isWithin(
  promise: Promise<unknown>,
  ms: number,
): Promise<boolean> {
  const expired = Promise.withResolvers<false>();
  const timer = setTimeout(() => expired.resolve(false), ms);
  try {
    return await Promise.race([promise.then(() => true), expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

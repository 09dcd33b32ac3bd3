/**
 * What is done about promises that nobody awaits. One that rejects ends the
 * process, so each is awaited, returned, given a handler that reports the error
 * (`.catch(report)`), or marked by {@linkcode handled}. `tools/promises.ts`
 * finds all others.
 *
 * @module
 */

/**
 * Keeps a rejection from ending the process, and returns the promise. It is
 * for rejections that are not lost by that: another holder of the promise gets
 * them, they say what is known by another way, or they cannot be. A comment at
 * the call, or a name in it, says which.
 */
export function handled<P extends Promise<unknown> | undefined>(
  promise: P,
): P {
  promise?.catch(ignore);
  return promise;
}

function ignore(): void {}

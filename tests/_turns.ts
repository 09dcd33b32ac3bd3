/** Lets everything happen that waits for nothing from outside. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether a promise is pending when all that can happen has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  function settle(): void {
    pending = false;
  }
  promise.then(settle, settle);
  await nextTurn();
  return pending;
}

// How many streams something makes: those of a call are lent from pools.

/** Counts the `TransformStream`s that are made until `run` is done. */
export async function countMadeStreams(
  run: () => Promise<unknown>,
): Promise<number> {
  const Native = globalThis.TransformStream;
  let made = 0;
  globalThis.TransformStream = class<I, O> extends Native<I, O> {
    constructor(...args: ConstructorParameters<typeof Native<I, O>>) {
      super(...args);
      made++;
    }
  };
  try {
    await run();
  } finally {
    globalThis.TransformStream = Native;
  }
  return made;
}

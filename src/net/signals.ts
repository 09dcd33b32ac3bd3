/**
 * The signals that stop a server, and the one that makes it reload.
 *
 * @module
 */

/** Handlers of signals. */
export interface SignalHandlers {
  /** Called at each signal to stop; `again` from the second one on. */
  onStop(signal: Deno.Signal, again: boolean): void;
  /** Called at SIGHUP; if absent, that signal is not listened to. */
  onReload: (() => void) | undefined;
}

/** Listens to signals until it is disposed of. */
export function listenToSignals(
  { onStop, onReload }: SignalHandlers,
): Disposable {
  let stops = 0;
  const all: (readonly [Deno.Signal, () => void])[] = stopSignals().map(
    (signal) => [signal, () => onStop(signal, stops++ > 0)],
  );
  if (onReload !== undefined && Deno.build.os !== "windows") {
    all.push(["SIGHUP", onReload]);
  }
  for (const [signal, handler] of all) Deno.addSignalListener(signal, handler);
  return {
    [Symbol.dispose]() {
      for (const [signal, handler] of all) {
        Deno.removeSignalListener(signal, handler);
      }
    },
  };
}

function stopSignals(): readonly Deno.Signal[] {
  const { os } = Deno.build;
  return os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
}

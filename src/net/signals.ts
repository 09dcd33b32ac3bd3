/**
 * The signals by which a server is told to stop, or to reload.
 *
 * @module
 */

const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** What to do about signals. */
export interface SignalHandlers {
  /** Told to stop; the second time, and from then on, with `again`. */
  onStop(signal: Deno.Signal, again: boolean): void;
  /** Told to reload by SIGHUP; if absent, that signal is not listened to. */
  onReload: (() => void) | undefined;
}

/** Listens to signals until it is disposed of. */
export function listenToSignals(
  { onStop, onReload }: SignalHandlers,
): Disposable {
  let stops = 0;
  const handlers = STOP_SIGNALS.map((signal) =>
    [signal, () => onStop(signal, stops++ > 0)] as const
  );
  const all: (readonly [Deno.Signal, () => void])[] = [...handlers];
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

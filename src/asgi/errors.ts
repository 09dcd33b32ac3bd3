/**
 * The errors that applications meet.
 *
 * @module
 */

/**
 * Rejects a `send` when the client has left. An application may let it escape:
 * it is not logged as an error of the application.
 */
export class ClientDisconnected extends Error {
  /** The name of the class. */
  override readonly name = "ClientDisconnected";

  /** Creates the error; `cause` says how the client was lost. */
  constructor(options?: ErrorOptions) {
    super("Cannot send: the client has disconnected", options);
  }
}

/** Rejects a `send` whose event is malformed, or breaks the order of events. */
export class InvalidEventError extends TypeError {
  /** The name of the class. */
  override readonly name = "InvalidEventError";
}

/** Whether an error is, or wraps, a {@linkcode ClientDisconnected}. */
export function isDisconnect(
  error: unknown,
  seen: Set<Error> = new Set(),
): boolean {
  if (error instanceof ClientDisconnected) return true;
  if (!(error instanceof Error) || seen.has(error)) return false;
  seen.add(error);
  const several = error instanceof AggregateError ? error.errors : [];
  return [error.cause, ...several].some((inner) => isDisconnect(inner, seen));
}

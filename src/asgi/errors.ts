/**
 * The errors that applications meet.
 *
 * @module
 */

import { isInstance, readItems, readMember } from "./user_code.ts";

/**
 * Rejects a `send` when the client has disconnected. An application may let it escape:
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

/** The most errors that are searched, of those that one wraps. */
const MAX_ERRORS = 64;

/**
 * Whether an error is, or wraps, a {@linkcode ClientDisconnected}: as its cause,
 * or as one of several errors. It does not throw, whatever was thrown.
 */
export function isDisconnect(error: unknown): boolean {
  return errorsIn(error)
    .some((one) => isInstance(one, ClientDisconnected));
}

/** Whether an error is another, or wraps it; as {@linkcode isDisconnect}. */
export function wraps(error: unknown, other: unknown): boolean {
  return errorsIn(error).some((one) => one === other);
}

/** An error, and what it wraps. */
function* errorsIn(error: unknown): Generator<unknown, void> {
  const errors = new Set([error]);
  for (const one of errors) {
    yield one;
    if (errors.size < MAX_ERRORS) wrappedBy(one).forEach((e) => errors.add(e));
  }
}

function wrappedBy(error: unknown): unknown[] {
  if (!isInstance(error, Error)) return [];
  const several = isInstance(error, AggregateError)
    ? readItems(readMember(error, "errors"), MAX_ERRORS)
    : undefined;
  return [readMember(error, "cause"), ...several ?? []];
}

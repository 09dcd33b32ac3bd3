/**
 * What a log can show of anything that was thrown. Nothing here throws, whatever
 * the getters of the thrown value do; and the result is finite, even if an error
 * is its own cause.
 *
 * @module
 */

import {
  isInstance,
  readItems,
  readMember,
  readString,
  textOf,
} from "../asgi/user_code.ts";

/** What is shown of an error; of a value that is none, only a message. */
export interface ErrorFacts {
  readonly name?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorFacts;
  readonly errors?: readonly ErrorFacts[];
}

/** The most errors in one record, and the most members of one of them. */
const MAX_ERRORS = 32;

/** Reads what was thrown, its causes and its members. */
export function factsOf(error: unknown): ErrorFacts {
  return read(error, new Set());
}

function read(value: unknown, seen: Set<unknown>): ErrorFacts {
  if (!isInstance(value, Error)) return { message: textOf(value) };
  if (seen.has(value)) return { message: "[shown above]" };
  if (seen.size >= MAX_ERRORS) return { message: "[left out]" };
  seen.add(value);
  const cause = readMember(value, "cause");
  // An `AggregateError` has members, and so has what is like one.
  const members = readItems(readMember(value, "errors"), MAX_ERRORS);
  return {
    name: readString(value, "name") ?? "Error",
    message: readString(value, "message") ?? "",
    stack: readString(value, "stack"),
    cause: cause === undefined ? undefined : read(cause, seen),
    errors: members?.map((member) => read(member, seen)),
  };
}

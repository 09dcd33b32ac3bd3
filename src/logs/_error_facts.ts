/**
 * What can be told of anything that was thrown. Nothing here throws, whatever
 * the thrown value does when it is looked at; and what is told has an end, even
 * if an error is its own cause.
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

/** What is told of an error; of a value that is none, only a message. */
export interface ErrorFacts {
  readonly name?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorFacts;
  readonly errors?: readonly ErrorFacts[];
}

/** So many errors are told of in one record, and so many members of one. */
const MAX_ERRORS = 32;

/** Looks at what was thrown, at its causes and its members. */
export function factsOf(error: unknown): ErrorFacts {
  return look(error, new Set());
}

function look(value: unknown, seen: Set<unknown>): ErrorFacts {
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
    cause: cause === undefined ? undefined : look(cause, seen),
    errors: members?.map((member) => look(member, seen)),
  };
}

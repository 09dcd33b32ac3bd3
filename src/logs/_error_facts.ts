/**
 * What can be told of anything that was thrown. Nothing here throws, whatever
 * the thrown value does when it is looked at; and what is told has an end, even
 * if an error is its own cause.
 *
 * @module
 */

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
  if (!isError(value)) return { message: textOf(value) };
  if (seen.has(value)) return { message: "[shown above]" };
  if (seen.size >= MAX_ERRORS) return { message: "[left out]" };
  seen.add(value);
  const cause = read(value, "cause");
  return {
    name: stringOr(read(value, "name"), "Error"),
    message: stringOr(read(value, "message"), ""),
    stack: stringOr(read(value, "stack"), undefined),
    cause: cause === undefined ? undefined : look(cause, seen),
    errors: membersOf(value)?.map((member) => look(member, seen)),
  };
}

function isError(value: unknown): value is object {
  try {
    return value instanceof Error;
  } catch {
    return false; // A proxy may refuse to say.
  }
}

/** The members of an `AggregateError`, and of what looks like one. */
function membersOf(error: object): unknown[] | undefined {
  try {
    const errors = read(error, "errors");
    return Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : undefined;
  } catch {
    return undefined;
  }
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function stringOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === "string" ? value : otherwise;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return (typeof value === "object" ? toJson(value) : undefined) ??
    toText(value) ?? "[unreadable]";
}

/** An object's JSON, if that says anything. */
function toJson(value: unknown): string | undefined {
  try {
    const json = JSON.stringify(value);
    return json === "{}" ? undefined : json;
  } catch {
    return undefined;
  }
}

function toText(value: unknown): string | undefined {
  try {
    return String(value);
  } catch {
    return undefined;
  }
}

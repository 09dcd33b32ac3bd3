/**
 * Code that is not the server's own: how its functions are called, and how what
 * they have thrown is read. They can throw anything, such as a proxy that throws
 * when it is asked for its class, or an error whose message is a getter that
 * throws. Nothing here throws, whatever it is given.
 *
 * @module
 */

/**
 * Calls a callback of the user's. What it throws, or what its promise rejects
 * with, goes to `onFailure`, which must not throw.
 */
export function callUser(
  callback: () => unknown,
  onFailure: (error: unknown) => void,
): void {
  try {
    const result = callback();
    // An async function fails later.
    if (typeof result !== "object" || result === null) return;
    Promise.resolve(result).then(undefined, onFailure);
  } catch (error) {
    onFailure(error);
  }
}

/** Whether a value is an instance of a class, as far as it can be asked. */
export function isInstance<T>(
  value: unknown,
  constructor: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof constructor;
  } catch {
    return false; // A proxy may refuse to say.
  }
}

/** A member of an object; `undefined` if it cannot be read. */
export function readMember(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** As {@linkcode readMember}, of what is a string. */
export function readString(object: object, key: string): string | undefined {
  const value = readMember(object, key);
  return typeof value === "string" ? value : undefined;
}

/** The first items of a list; `undefined` if it is none, or cannot be read. */
export function readItems(list: unknown, max: number): unknown[] | undefined {
  try {
    if (!Array.isArray(list)) return undefined;
    const length = Math.min(list.length, max);
    return Array.from({ length }, (_, index) => list[index]);
  } catch {
    return undefined;
  }
}

/** What was thrown, as a short text: an error's message, or any other value. */
export function messageOf(thrown: unknown): string {
  if (!isInstance(thrown, Error)) return textOf(thrown);
  const name = readString(thrown, "name") || "Error";
  const message = readString(thrown, "message");
  if (!message) return name;
  return name === "Error" ? message : `${name}: ${message}`;
}

/** Any value as text. */
export function textOf(value: unknown): string {
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

/**
 * What the command line chooses of the cases and servers.
 *
 * @module
 */

/**
 * Those that were named; all if none was.
 *
 * @throws {RangeError} If there is none of a name.
 */
export function chosen<Named extends { readonly name: string }>(
  all: readonly Named[],
  names: readonly string[],
  what: string,
): readonly Named[] {
  if (names.length === 0) return all;
  const unknown = names
    .find((name) => !all.some((one) => matches(one.name, name)));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot compare: there is no ${what} "${unknown}"`);
  }
  return all.filter((one) => names.some((name) => matches(one.name, name)));
}

/** Whether a name is the one that was asked for, or begins as asked. */
function matches(name: string, asked: string): boolean {
  return asked.endsWith("*")
    ? name.startsWith(asked.slice(0, -1))
    : name === asked;
}

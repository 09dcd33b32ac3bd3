/**
 * Stand-in for `@std/assert`, used where JSR is out of reach: the assertions
 * that this project calls, with the signatures and the verdicts of the original
 * and messages of their own. The rule is that of `tools/jsr/update.ts`.
 *
 * @module
 */

import { inspect, stripVTControlCharacters } from "node:util";

/** Equal lines shown around a difference, and lines shown of each side. */
const CONTEXT_LINES = 3;
const MAX_LINES = 60;

/** Any class, abstract ones included. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor = abstract new (...args: any[]) => any;

/** The instance type of a class. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/** An array, or an object that is indexed like one. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/** What a condition treats as false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** What every failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

// Conditions

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Asserts that `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  fails(`Expected ${actual} to be neither null nor undefined`, msg);
}

/** Asserts that `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is GetConstructorType<T> {
  if (actual instanceof expectedType) return;
  fails(`Expected ${show(actual)} to be a "${expectedType.name}"`, msg);
}

/** Fails unconditionally. */
export function fail(msg?: string): never {
  fails("Failed assertion", msg);
}

/** Fails because the code that calls it must never be reached. */
export function unreachable(reason?: string): never {
  fails("Unreachable", reason);
}

// Equality

/** Asserts that both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  fails("Values are not equal", msg, difference(actual, expected));
}

/** Asserts that the values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  fails(`Expected anything but ${show(expected)}`, msg);
}

/** Asserts that both are the same value, as `Object.is` sees it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const detail = equal(actual, expected)
    ? `\nBoth look like this, but are two references: ${show(actual)}`
    : difference(actual, expected);
  fails("Values are not strictly equal", msg, detail);
}

/**
 * Asserts that `actual` holds everything that `expected` holds, deeply; arrays
 * are compared index by index, and may be longer than expected.
 */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const part = pick(actual, expected, new Map());
  const whole = pick(expected, expected, new Map());
  if (equal(part, whole)) return;
  fails("Object does not match", msg, difference(part, whole));
}

/** Asserts that each item of `expected` equals some item of `actual`. */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected)
    .filter((wanted) => !items.some((item) => equal(item, wanted)));
  if (missing.length === 0) return;
  fails(`Expected ${show(items)} to include ${show(missing)}`, msg);
}

// Order and text

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  fails(`Expected ${show(actual)} > ${show(expected)}`, msg);
}

/** Asserts that `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  fails(`Expected ${show(actual)} >= ${show(expected)}`, msg);
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  fails(`Expected ${show(actual)} < ${show(expected)}`, msg);
}

/** Asserts that `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  fails(`Expected ${show(actual)} <= ${show(expected)}`, msg);
}

/** Asserts that `actual` matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  fails(`Expected ${show(actual)} to match ${expected}`, msg);
}

/** Asserts that `actual` contains the text `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  fails(`Expected ${show(actual)} to contain ${show(expected)}`, msg);
}

// Errors

/** Asserts that `fn` throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that `fn` throws an `ErrorClass` whose message contains
 * `msgIncludes`, and returns the error.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...wanted: [string?] | [ErrorClass<Error>, string?, string?]
): unknown {
  const { ErrorClass, msgIncludes, msg } = readWanted(wanted);
  try {
    fn();
  } catch (error) {
    checkError(error, ErrorClass, msgIncludes, msg);
    return error;
  }
  fails("Expected function to throw", msg);
}

/** Asserts that the promise of `fn` rejects, and resolves to the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Asserts that the promise of `fn` rejects with an `ErrorClass` whose message
 * contains `msgIncludes`, and resolves to the error. An `fn` that throws
 * instead of returning a promise fails the assertion.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...wanted: [string?] | [ErrorClass<Error>, string?, string?]
): Promise<unknown> {
  const { ErrorClass, msgIncludes, msg } = readWanted(wanted);
  const promise = callForPromise(fn, msg);
  try {
    await promise;
  } catch (error) {
    checkError(error, ErrorClass, msgIncludes, msg);
    return error;
  }
  fails("Expected function to reject", msg);
}

interface Wanted {
  ErrorClass?: ErrorClass<Error>;
  msgIncludes?: string;
  msg?: string;
}

function readWanted(
  [first, msgIncludes, msg]: [(string | ErrorClass<Error>)?, string?, string?],
): Wanted {
  if (typeof first === "string") return { msg: first };
  return { ErrorClass: first, msgIncludes, msg };
}

function callForPromise(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): PromiseLike<unknown> {
  let result: unknown;
  try {
    result = fn();
  } catch {
    fails("Function throws when expected to reject", msg);
  }
  if (typeof (result as PromiseLike<unknown>)?.then !== "function") {
    fails("Function returns no promise when expected to reject", msg);
  }
  return result as PromiseLike<unknown>;
}

function checkError(
  error: unknown,
  ErrorClass: ErrorClass<Error> | undefined,
  msgIncludes?: string,
  msg?: string,
): void {
  if (ErrorClass === undefined) return;
  if (!(error instanceof Error)) {
    fails(`Expected an error, but got ${show(error)}`, msg);
  }
  if (!(error instanceof ErrorClass)) {
    fails(`Expected a "${ErrorClass.name}", but got ${show(error)}`, msg);
  }
  const [text, part] = [error.message, msgIncludes ?? ""]
    .map(stripVTControlCharacters);
  if (text.includes(part)) return;
  fails(`Expected message ${show(text)} to include ${show(part)}`, msg);
}

// Comparison

/**
 * Whether both values are deeply equal: same own enumerable keys, same
 * constructors (an object without a prototype counts as a plain one), `NaN`
 * equal to itself, `0` equal to `-0`.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || !sameConstructor(a, b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError("Cannot compare weak collections");
  }
  if (a instanceof Date) return Object.is(+a, +(b as Date));
  if (a instanceof RegExp || a instanceof URL) return `${a}` === `${b}`;
  if (a instanceof WeakRef) {
    return compare(a.deref(), (b as typeof a).deref(), seen);
  }
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Set || a instanceof Map) {
    return sameEntries(a, b as typeof a, seen);
  }
  if (a instanceof Uint8Array) return sameBytes(a, b as Uint8Array);
  if (a instanceof ArrayBuffer) {
    return sameBytes(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  return sameKeys(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function sameConstructor(a: object, b: object): boolean {
  return (a.constructor ?? Object) === (b.constructor ?? Object);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Compares regardless of order, as many pairs as there are entries. */
function sameEntries(
  a: Set<unknown> | Map<unknown, unknown>,
  b: Set<unknown> | Map<unknown, unknown>,
  seen: Map<unknown, unknown>,
): boolean {
  const rest = [...b.entries()];
  return a.size === b.size && [...a.entries()].every((entry) => {
    const at = rest.findIndex((other) => compare(entry, other, new Map(seen)));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function sameKeys(
  a: object,
  b: object,
  seen: Map<unknown, unknown>,
): boolean {
  // Errors keep what tells them apart in properties that are not enumerable.
  const keys = [...visibleKeys(a), ...isError(a) ? ["name", "message"] : []];
  if (visibleKeys(a).length !== visibleKeys(b).length) return false;
  return keys.every((key) =>
    key in b && compare(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

function isError(value: object): value is Error {
  return value instanceof Error;
}

function visibleKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

/** The part of `value` that `shape` speaks of, as plain objects. */
function pick(
  value: unknown,
  shape: unknown,
  seen: Map<unknown, unknown>,
): unknown {
  if (!isContainer(value) || !isContainer(shape)) return value;
  if (Array.isArray(value) !== Array.isArray(shape)) return value;
  if (seen.has(value)) return seen.get(value);
  const part: Record<PropertyKey, unknown> = {};
  seen.set(value, part);
  for (const key of visibleKeys(shape)) {
    if (key in value) {
      part[key] = pick(Reflect.get(value, key), Reflect.get(shape, key), seen);
    }
  }
  return part;
}

/** Arrays, plain objects and instances without a comparison of their own. */
function isContainer(value: unknown): value is object {
  return isObject(value) && !ArrayBuffer.isView(value) &&
    ![RegExp, Date, URL, Map, Set].some((type) => value instanceof type);
}

// Messages

function fails(summary: string, msg?: string, detail = ""): never {
  throw new AssertionError(`${summary}${msg ? `: ${msg}` : "."}${detail}`);
}

function show(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Infinity });
}

/** The lines in which two values differ: `-` actual, `+` expected. */
function difference(actual: unknown, expected: unknown): string {
  const [a, b] = [showLines(actual), showLines(expected)];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [
    "\n\n    [Diff] - actual / + expected\n",
    ...mark("    ", a.slice(Math.max(0, start - CONTEXT_LINES), start)),
    ...mark("-   ", a.slice(start, a.length - end)),
    ...mark("+   ", b.slice(start, b.length - end)),
    ...mark("    ", a.slice(a.length - end).slice(0, CONTEXT_LINES)),
  ].join("\n");
}

function mark(sign: string, lines: string[]): string[] {
  const more = lines.length - MAX_LINES;
  const rest = more > 0 ? [`… ${more} more lines`] : [];
  return [...lines.slice(0, MAX_LINES), ...rest].map((line) => sign + line);
}

/** One property, or line of text, a line: a difference is one of lines. */
function showLines(value: unknown): string[] {
  if (typeof value === "string") return value.split(/(?<=\n)/).map(show);
  return inspect(value, {
    compact: false,
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    sorted: true,
  }).split("\n");
}

/**
 * Rules for the values of options: what a value must be, and the error that
 * says so.
 *
 * @module
 */

import { show } from "../asgi/event_checks.ts";

/** The most of a text that an error message shows: it may be a private key. */
const MAX_SHOWN = 20;

/** What a value must be, as an error message says it, and the check of it. */
export type Rule = readonly [
  text: string,
  accepts: (value: unknown) => boolean,
];

/** The error for a value that breaks a rule; a number is out of range. */
export function mustBe(
  what: string,
  [text]: Rule,
  value: unknown,
): TypeError | RangeError {
  const ErrorClass = typeof value === "number" ? RangeError : TypeError;
  return new ErrorClass(
    `Cannot serve: ${what} must be ${text}, not ${display(value)}`,
  );
}

function display(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(display).join(", ")}]`;
  return typeof value === "string" && value.length > MAX_SHOWN
    ? show(`${value.slice(0, MAX_SHOWN)}…`)
    : show(value);
}

/** Whether `value` is a string. */
export function isString(value: unknown): boolean {
  return typeof value === "string";
}

/** Whether `value` is a boolean. */
export function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

/** Whether `value` is a function. */
export function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Whether `value` is an object, an array as well. */
export function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** Whether `value` is a TCP port, 0 included. */
export function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 &&
    Number(value) <= 65_535;
}

/**
 * Checks of single keys of events, shared by all protocols. Applications in
 * plain JavaScript may send anything, so nothing is taken for granted.
 *
 * @module
 */

import {
  type Field,
  fieldName,
  isFieldValue,
  markChecked,
} from "../http/fields.ts";
import { decodeByteString } from "../streams/byte_string.ts";
import { readMember, readString } from "./user_code.ts";
import { InvalidEventError } from "./errors.ts";

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

/** Any event, as far as its error messages are concerned. */
interface AnyEvent {
  readonly type: string;
}

/** Says which rule a value broke. */
export function invalid(
  event: AnyEvent,
  rule: string,
  value: unknown,
): InvalidEventError {
  return new InvalidEventError(
    `Cannot send ${event.type}: ${rule}, not ${show(value)}`,
  );
}

/** Says that an event's type is none that can be sent. */
export function unknownType(event: unknown): InvalidEventError {
  const { type } = (event ?? {}) as { type?: unknown };
  return new InvalidEventError(`Cannot send event: unknown type ${show(type)}`);
}

/** A short form of any value. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const constructor = readMember(value, "constructor");
  const name = typeof constructor === "function"
    ? readString(constructor, "name")
    : undefined;
  return `an instance of ${name ?? "Object"}`;
}

/** A final status code. */
export function checkStatus(event: AnyEvent, status: unknown): number {
  if (Number.isInteger(status)) {
    const code = status as number;
    if (code >= 200 && code <= 999) return code;
  }
  throw invalid(event, "status must be an integer 200–999", status);
}

/** Content: bytes, or a string to be sent as UTF-8; empty by default. */
export function checkBody(event: AnyEvent, body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return checkAttached(event, body);
  if (typeof body === "string") return encoder.encode(body);
  if (body === undefined) return EMPTY;
  throw invalid(event, "body must be a Uint8Array or a string", body);
}

/** Bytes that can be read: their buffer was not transferred to somebody else. */
export function checkAttached(event: AnyEvent, bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0) return bytes; // A detached one has no length.
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer && buffer.detached)) return bytes;
  throw new InvalidEventError(
    `Cannot send ${event.type}: the bytes were transferred to somebody else`,
  );
}

/** A flag; `false` by default. */
export function checkFlag(
  event: AnyEvent,
  key: string,
  value: unknown,
): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw invalid(event, `${key} must be a boolean`, value);
}

/** A number of bytes; it may be absent. */
export function checkCount(event: AnyEvent, key: string, value: unknown): void {
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && value as number >= 0) return;
  throw invalid(event, `${key} must be a number of bytes`, value);
}

/** Fields, with their names in lowercase; none by default. */
export function checkFields(event: AnyEvent, headers: unknown): Field[] {
  if (headers === undefined) return [];
  if (!isIterable(headers)) {
    throw invalid(event, "headers must be a list of pairs", headers);
  }
  const fields: Field[] = [];
  for (const header of headers) {
    if (!Array.isArray(header) || header.length !== 2) {
      throw invalid(event, "each header must be a pair", header);
    }
    fields.push(checkField(event, header[0], header[1]));
  }
  markChecked(fields); // So that the wire need not check them again.
  return fields;
}

/** One field, with its name in lowercase. */
export function checkField(
  event: AnyEvent,
  name: unknown,
  value: unknown,
): Field {
  const nameText = byteString(name);
  const lowerName = nameText === undefined ? undefined : fieldName(nameText);
  if (lowerName === undefined) {
    throw invalid(event, "a header's name must be a token", name);
  }
  const valueText = byteString(value);
  if (valueText === undefined || !isFieldValue(valueText)) {
    throw invalid(
      event,
      `the value of ${lowerName} must be a byte string without controls`,
      value,
    );
  }
  return [lowerName, valueText];
}

/** Whether a value can be iterated over; a string does not count. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  if (typeof value === "string") return false;
  return typeof (value as Iterable<unknown> | null)?.[Symbol.iterator] ===
    "function";
}

function byteString(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return decodeByteString(value);
  return undefined;
}

/**
 * Field lines, of a head or of trailers (RFC 9112, section 5): a name that is a
 * token, a colon right after it, a value. A folded line starts with white
 * space, so its name is no token, and it is refused.
 *
 * @module
 */

import { type Field, fieldName, trimWhitespace } from "../http/fields.ts";
import { HttpError, quote } from "../http/http_error.ts";

/**
 * Parses field lines, from `start` to the end of a block (RFC 9112, section 5).
 *
 * @throws {HttpError} 400 for a malformed field, 431 for more than `maxFields`.
 */
export function parseFieldLines(
  block: string,
  start: number,
  maxFields: number,
): Field[] {
  const fields: Field[] = [];
  while (start < block.length) {
    if (fields.length === maxFields) {
      throw new HttpError(431, `Cannot accept more than ${maxFields} fields`);
    }
    const lineEnd = block.indexOf("\r\n", start);
    const colon = block.indexOf(":", start);
    const name = colon === -1 || colon > lineEnd
      ? undefined
      : fieldName(block.slice(start, colon));
    if (name === undefined) {
      const line = quote(block.slice(start, lineEnd));
      throw new HttpError(400, `Cannot parse field line: ${line}`);
    }
    // Nearly every field has one space after the colon and none at its end.
    const valueStart = block.charCodeAt(colon + 1) === 0x20
      ? colon + 2
      : colon + 1;
    fields.push([name, trimWhitespace(block.slice(valueStart, lineEnd))]);
    start = lineEnd + 2;
  }
  return fields;
}

/**
 * The fields of a response as HTTP/2 and HTTP/3 send them (RFC 9113, sections 8.2
 * and 8.3.2; RFC 9114, sections 4.2 and 4.3.2): `:status` in front, and nothing
 * that speaks of a connection, which these versions do not have. Whitespace at the ends of a value, which applications may
 * set, would make the response malformed, and is taken off.
 *
 * @module
 */

import { httpDate } from "./date.ts";
import {
  checkFields,
  type Field,
  isFramingField,
  trimWhitespace,
} from "./fields.ts";
import {
  checkFinalStatus,
  isEmptyStatus,
  readDeclaredLength,
  type ResponseDefaults,
} from "./response_fields.ts";

/** What the application says of a response, and what the server adds. */
export interface ResponseParts {
  /** The final status. */
  readonly status: number;
  /** The fields of the application. */
  readonly headers: readonly Field[];
  /** What is added to them. */
  readonly defaults: ResponseDefaults;
}

/** Fields that can be sent. */
export interface ResponseFields {
  /** `:status`, and all others. */
  readonly fields: readonly Field[];
  /** The Content-Length among them. */
  readonly length: number | undefined;
}

/** Those that a message of these versions must not have, and that are dropped. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Composes the fields of a final response.
 *
 * @throws {RangeError} If the status is no final one, or the length no number.
 * @throws {TypeError} If a field has no name or value that can be sent.
 */
export function composeResponse(
  { status, headers, defaults }: ResponseParts,
): ResponseFields {
  checkFinalStatus(status);
  const fields: Field[] = [[":status", String(status)]];
  let length: number | undefined;
  let hasDate = !defaults.dateHeader;
  let hasServer = defaults.serverHeader === null;
  let hasAltSvc = defaults.altSvc === undefined;
  for (const field of checkFields(headers)) {
    const [name, value] = field;
    if (name === "content-length") {
      // RFC 9110, section 8.6 forbids a length in these responses.
      if (isEmptyStatus(status)) continue;
      length = readDeclaredLength(length, value);
    } else if (CONNECTION_FIELDS.has(name)) continue;
    else if (name === "date") hasDate = true;
    else if (name === "server") hasServer = true;
    else if (name === "alt-svc") hasAltSvc = true;
    fields.push(trimmed(field));
  }
  if (!hasDate) fields.push(["date", httpDate()]);
  if (!hasServer) fields.push(["server", defaults.serverHeader!]);
  if (!hasAltSvc) fields.push(["alt-svc", defaults.altSvc!]);
  return { fields, length };
}

/**
 * The fields of an interim response.
 *
 * @throws {TypeError} If a field has no name or value that can be sent.
 */
export function composeInterim(
  status: number,
  headers: readonly Field[],
): Field[] {
  return [[":status", String(status)], ...composeTrailers(headers)];
}

/**
 * The fields of trailers, or what follows `:status` in an interim response.
 *
 * @throws {TypeError} If a field has no name or value that can be sent.
 */
export function composeTrailers(headers: readonly Field[]): Field[] {
  return checkFields(headers)
    .filter(([name]) => !isFramingField(name) && !CONNECTION_FIELDS.has(name))
    .map(trimmed);
}

function trimmed(field: Field): Field {
  const [name, value] = field;
  const text = trimWhitespace(value);
  return text === value ? field : [name, text];
}

/**
 * The grammar of field names and values (RFC 9110, section 5), shared by every
 * layer that reads or writes fields: requests, responses, trailers, handshakes.
 * What is read is refused, and what is to be sent is an error, unless it has
 * this grammar.
 *
 * @module
 */

/** A field: its name in lowercase, and its value; both byte strings. */
export type Field = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/** Names that are often seen, in the two spellings that are often seen. */
const KNOWN_NAMES = new Map<string, string>(
  [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "DNT",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "Host",
    "If-Modified-Since",
    "If-None-Match",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "Origin",
    "Pragma",
    "Priority",
    "Range",
    "Referer",
    "Sec-CH-UA",
    "Sec-CH-UA-Mobile",
    "Sec-CH-UA-Platform",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Vary",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-ID",
    "X-Requested-With",
  ].flatMap((name) => {
    const lower = name.toLowerCase();
    return [[name, lower], [lower, lower]];
  }),
);

/** Whether `text` is a token (RFC 9110, section 5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether `text` can be sent as a field's value: no control but HTAB. */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/** A field name in lowercase; `undefined` if `name` is no token. */
export function fieldName(name: string): string | undefined {
  return KNOWN_NAMES.get(name) ??
    (isToken(name) ? name.toLowerCase() : undefined);
}

/** The fields with `host` in place of any Host, and before all others. */
export function withHost(fields: readonly Field[], host: string): Field[] {
  const replaced: Field[] = [["host", host]];
  for (const field of fields) {
    if (field[0] !== "host") replaced.push(field);
  }
  return replaced;
}

declare const checked: unique symbol;

/** Fields that can be sent: they were checked, and their names are lowercase. */
export type CheckedFields = readonly Field[] & { readonly [checked]: true };

/**
 * Checks fields that are to be sent, unless they were checked before.
 *
 * @throws {TypeError} If a name is no token, or a value no byte string without
 * controls.
 */
export function checkFields(fields: readonly Field[]): CheckedFields {
  return Mark.isOn(fields)
    ? fields
    : markChecked(Array.from(fields, checkField));
}

/**
 * Marks a list as checked, so that no other layer checks it again. Nobody may
 * change it after that.
 */
export function markChecked(fields: Field[]): CheckedFields {
  return new Mark(fields) as object as CheckedFields;
}

/** Lets a class add its private members to an object that is there already. */
class Given {
  constructor(object: object) {
    return object;
  }
}

/**
 * A private member on the list itself: it is seen and set by nothing else, and
 * costs no time, as a WeakSet would.
 */
class Mark extends Given {
  readonly #checked = true;

  static isOn(fields: readonly Field[]): fields is CheckedFields {
    return #checked in fields;
  }
}

function checkField([name, value]: Field): Field {
  const lower = typeof name === "string" ? fieldName(name) : undefined;
  if (lower === undefined) {
    throw new TypeError(
      `Cannot send field ${shown(name)}: its name must be a token`,
    );
  }
  if (typeof value === "string" && isFieldValue(value)) return [lower, value];
  throw new TypeError(
    `Cannot send field ${lower}: its value must be a byte string without controls, not ${
      shown(value)
    }`,
  );
}

/** Whether a field frames content: interim responses and trailers have none. */
export function isFramingField(name: string): boolean {
  return name === "content-length" || name === "transfer-encoding";
}

/** The number of a Content-Length; `undefined` if it is no number. */
export function parseContentLength(value: string): number | undefined {
  return CONTENT_LENGTH.test(value) ? Number(value) : undefined;
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 60))
    : typeof value;
}

/** Whether a comma-separated field value lists `token` (in any case). */
export function listsToken(value: string, token: string): boolean {
  if (value.length === token.length) return value.toLowerCase() === token;
  return value.toLowerCase().split(",").some((member) =>
    trimWhitespace(member) === token
  );
}

/** A value beside an earlier one: fields of one name are one list (section 5.3). */
export function listed(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

/** Strips SP and HTAB from both ends (RFC 9110, section 5.6.3), and only these. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * The head of a response, and with it the framing of its content (RFC 9112,
 * section 6), which is decided here, whatever the application says of it:
 *
 * | response                      | framing                             |
 * |-------------------------------|-------------------------------------|
 * | to HEAD; 204; 304             | no content                          |
 * | 205                           | no content, and a length of 0       |
 * | 2xx to CONNECT                | until close                         |
 * | with a Content-Length         | that length                         |
 * | any other, to HTTP/1.1        | chunked                             |
 * | any other, to HTTP/1.0        | until close                         |
 *
 * Transfer-Encoding and Connection are set here alone; of the application's
 * Connection, only "close" and "upgrade" have an effect.
 *
 * @module
 */

import { type Field, listsToken } from "../http/fields.ts";
import { httpDate } from "../http/date.ts";
import type { RequestHead } from "./request_head.ts";
import { statusLine } from "../http/status.ts";

/** How the end of a response's content is marked. */
export type ResponseFraming = "none" | "length" | "chunked" | "close";

/** Fields that are added to a response that does not have them. */
export interface ResponseDefaults {
  /** Whether each response says the date. */
  readonly dateHeader: boolean;
  /** The value of the Server field; `null` for none. */
  readonly serverHeader: string | null;
}

/** What a response is made of. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: readonly Field[];
  /** Whether the connection can serve another request after it. */
  readonly keepAlive: boolean;
  readonly defaults: ResponseDefaults;
}

/** A head that can be sent. */
export interface ResponseHead {
  /** Its bytes, as a byte string. */
  readonly text: string;
  /** How its content is to be sent. */
  readonly framing: ResponseFraming;
  /** How much of it there must be; `undefined` if the head does not say. */
  readonly length: number | undefined;
  /** Whether another request may follow: the head says so too. */
  readonly keepAlive: boolean;
}

/** What the application's fields come to. */
interface Noted {
  length: number | undefined;
  close: boolean;
  upgrade: boolean;
  date: boolean;
  server: boolean;
}

const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * Composes the head of the response to `request`.
 *
 * @throws {RangeError} If the status is no final one, or the length no number.
 */
export function composeHead(
  request: RequestHead,
  { status, headers, keepAlive, defaults }: ResponseParts,
): ResponseHead {
  if (!(status >= 200 && status <= 999)) {
    throw new RangeError(`Cannot begin response: the status is ${status}`);
  }
  const tunnel = request.method === "CONNECT" && status >= 200 && status < 300;
  const noted: Noted = {
    length: undefined,
    close: !keepAlive,
    upgrade: false,
    date: !defaults.dateHeader,
    server: defaults.serverHeader === null,
  };
  let text = statusLine(status);
  for (const [name, value] of headers) {
    // RFC 9110, section 8.6 forbids a length in these responses.
    if (name === "content-length" && (tunnel || isEmpty(status))) continue;
    if (note(noted, name, value)) text += `${name}: ${value}\r\n`;
  }
  const { length } = noted;
  const framing = tunnel
    ? "close"
    : frame(request, status, length !== undefined);
  if (framing === "close") noted.close = true;
  if (framing === "chunked") text += "transfer-encoding: chunked\r\n";
  if (status === 205) text += "content-length: 0\r\n";
  if (!noted.date) text += `date: ${httpDate()}\r\n`;
  if (!noted.server) text += `server: ${defaults.serverHeader}\r\n`;
  if (noted.upgrade) text += "connection: upgrade\r\n";
  if (noted.close) text += "connection: close\r\n";
  else if (request.version === "1.0") text += "connection: keep-alive\r\n";
  return { text: text + "\r\n", framing, length, keepAlive: !noted.close };
}

/** Whether the field is sent as it is. */
function note(noted: Noted, name: string, value: string): boolean {
  switch (name) {
    case "transfer-encoding":
      return false;
    case "connection":
      if (listsToken(value, "close")) noted.close = true;
      if (listsToken(value, "upgrade")) noted.upgrade = true;
      return false;
    case "content-length":
      noted.length = checkLength(noted.length, value);
      break;
    case "date":
      noted.date = true;
      break;
    case "server":
      noted.server = true;
      break;
  }
  return true;
}

function checkLength(earlier: number | undefined, value: string): number {
  if (earlier === undefined && CONTENT_LENGTH.test(value)) return Number(value);
  throw new RangeError(
    `Cannot begin response: content-length must be one number, not "${value}"`,
  );
}

/** Whether a status has no content, and no length that the application sets. */
function isEmpty(status: number): boolean {
  return status === 204 || status === 205;
}

function frame(
  { method, version }: RequestHead,
  status: number,
  hasLength: boolean,
): ResponseFraming {
  if (method === "HEAD" || isEmpty(status) || status === 304) return "none";
  if (hasLength) return "length";
  return version === "1.1" ? "chunked" : "close";
}

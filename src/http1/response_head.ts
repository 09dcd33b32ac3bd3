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
 * Connection, only "close" and "upgrade" have an effect. A field that can't be
 * sent is an error, and then nothing of the head is.
 *
 * @module
 */

import { httpDate } from "../http/date.ts";
import { errorPage } from "../http/error_page.ts";
import {
  checkFields,
  type Field,
  isFramingField,
  listsToken,
} from "../http/fields.ts";
import {
  checkFinalStatus,
  isEmptyStatus,
  readDeclaredLength,
  type ResponseDefaults,
} from "../http/response_fields.ts";
import { hasContent } from "../http/response_state.ts";
import { statusLine } from "../http/status.ts";
import type { RequestHead } from "./request_head.ts";

/** How the end of a response's content is marked. */
export type ResponseFraming = "none" | "length" | "chunked" | "close";

/** What of a request matters to the head of its response. */
type AnsweredRequest = Pick<RequestHead, "method" | "version">;

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
  /** How much of it there must be; `undefined` if it is framed otherwise. */
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
  altSvc: boolean;
}

/**
 * Composes the head of the response to `request`.
 *
 * @throws {RangeError} If the status is no final one, or the length no number.
 * @throws {TypeError} If a field has no name or value that can be sent.
 */
export function composeHead(
  request: AnsweredRequest,
  { status, headers, keepAlive, defaults }: ResponseParts,
): ResponseHead {
  checkFinalStatus(status);
  const tunnel = request.method === "CONNECT" && status <= 299;
  const noted = nothingNoted(!keepAlive, defaults);
  let text = statusLine(status);
  for (const [name, value] of checkFields(headers)) {
    // RFC 9110, section 8.6 forbids a length in these responses.
    if (name === "content-length" && (tunnel || isEmptyStatus(status))) {
      continue;
    }
    if (note(noted, name, value)) text += `${name}: ${value}\r\n`;
  }
  const framing = tunnel ? "close" : frame(request, status, noted.length);
  if (framing === "close") noted.close = true;
  if (framing === "chunked") text += "transfer-encoding: chunked\r\n";
  if (status === 205) text += "content-length: 0\r\n";
  text += ownFields(noted, defaults);
  if (!noted.close && request.version === "1.0") {
    text += "connection: keep-alive\r\n";
  }
  return {
    text: text + "\r\n",
    framing,
    length: framing === "length" ? noted.length : undefined,
    keepAlive: !noted.close,
  };
}

/** Composes the response to bytes that are no request: an error page. */
export function composeRefusal(
  status: number,
  defaults: ResponseDefaults,
): { head: string; content: Uint8Array } {
  const { headers, content } = errorPage(status, []);
  let head = statusLine(status);
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  head += ownFields(nothingNoted(true, defaults), defaults);
  return { head: head + "\r\n", content };
}

/**
 * The lines of an interim response, or of trailers; fields that frame content
 * are left out.
 *
 * @throws {TypeError} If a field has no name or value that can be sent.
 */
export function composeFields(headers: readonly Field[]): string {
  let text = "";
  for (const [name, value] of checkFields(headers)) {
    if (!isFramingField(name)) text += `${name}: ${value}\r\n`;
  }
  return text;
}

function nothingNoted(
  close: boolean,
  { dateHeader, serverHeader, altSvc }: ResponseDefaults,
): Noted {
  return {
    length: undefined,
    close,
    upgrade: false,
    date: !dateHeader,
    server: serverHeader === null,
    altSvc: altSvc === undefined,
  };
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
      noted.length = readDeclaredLength(noted.length, value);
      break;
    case "date":
      noted.date = true;
      break;
    case "server":
      noted.server = true;
      break;
    case "alt-svc":
      noted.altSvc = true;
      break;
  }
  return true;
}

/** The fields that every response gets, unless the application has set them. */
function ownFields(
  noted: Noted,
  { serverHeader, altSvc }: ResponseDefaults,
): string {
  let text = "";
  if (!noted.date) text += `date: ${httpDate()}\r\n`;
  if (!noted.server) text += `server: ${serverHeader}\r\n`;
  if (!noted.altSvc) text += `alt-svc: ${altSvc}\r\n`;
  if (noted.upgrade) text += "connection: upgrade\r\n";
  if (noted.close) text += "connection: close\r\n";
  return text;
}

function frame(
  { method, version }: AnsweredRequest,
  status: number,
  length: number | undefined,
): ResponseFraming {
  if (!hasContent(method, status)) return "none";
  if (length !== undefined) return "length";
  return version === "1.1" ? "chunked" : "close";
}

/**
 * What the fields of a request say of its framing and of its connection
 * (RFC 9112, sections 3.2, 6 and 9; RFC 9110, section 10.1.1). The rules are
 * strict where leniency has led to request smuggling:
 *
 * | fields                                           | status |
 * |--------------------------------------------------|--------|
 * | two Hosts, none on HTTP/1.1, or a malformed one  | 400    |
 * | Content-Length that is repeated, or no number    | 400    |
 * | Transfer-Encoding beside Content-Length          | 400    |
 * | Transfer-Encoding repeated, or on HTTP/1.0       | 400    |
 * | a coding that does not end in one `chunked`      | 400    |
 * | another coding in front of the final `chunked`   | 501    |
 * | an expectation other than `100-continue`         | 417    |
 *
 * @module
 */

import {
  type Field,
  isToken,
  listed,
  listsToken,
  parseContentLength,
  trimWhitespace,
} from "../http/fields.ts";
import type { RequestInfo } from "../http/exchange.ts";
import { HttpError, quote } from "../http/http_error.ts";
import { isHost } from "../http/request_target.ts";

/** How the content of a request is delimited: its length, or chunk by chunk. */
export type BodyFraming = number | "chunked";

/** What the fields of a request come to. */
export interface ConnectionFields {
  /** How the content is delimited; 0 if there is none. */
  readonly framing: BodyFraming;
  /** Whether the client allows another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for a 100 before it sends the content. */
  readonly expectsContinue: boolean;
  /** Whether the client accepts trailers. */
  readonly acceptsTrailers: boolean;
  /** The protocols that the client asks for (Upgrade, on 1.1), as they came. */
  readonly protocol: RequestInfo["protocol"];
}

/** The fields as they came. */
interface Noted {
  host: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  /** Options that Connection lists. */
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  protocol: string | undefined;
  trailers: boolean;
  continue: boolean;
  /** An expectation that can't be met. */
  expectation: string | undefined;
}

/**
 * Reads the fields of a request.
 *
 * @throws {HttpError} As the table above says.
 */
export function readConnectionFields(
  headers: readonly Field[],
  http11: boolean,
): ConnectionFields {
  const noted: Noted = {
    host: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    close: false,
    keepAlive: http11,
    upgrade: false,
    protocol: undefined,
    trailers: false,
    continue: false,
    expectation: undefined,
  };
  for (const [name, value] of headers) note(noted, name, value);
  checkHost(noted.host, http11);
  const framing = framingOf(noted, http11);
  if (http11 && noted.expectation !== undefined) {
    throw new HttpError(
      417,
      `Cannot meet expectation: ${quote(noted.expectation)}`,
    );
  }
  return {
    framing,
    keepAlive: noted.keepAlive && !noted.close,
    expectsContinue: http11 && noted.continue && framing !== 0,
    acceptsTrailers: http11 && noted.trailers,
    protocol: http11 && noted.upgrade ? noted.protocol : undefined,
  };
}

function note(noted: Noted, name: string, value: string): void {
  switch (name) {
    case "host":
      noted.host = single(name, noted.host, value);
      break;
    case "content-length":
      noted.contentLength = single(name, noted.contentLength, value);
      break;
    case "transfer-encoding":
      noted.transferEncoding = single(name, noted.transferEncoding, value);
      break;
    case "connection":
      if (listsToken(value, "close")) noted.close = true;
      if (listsToken(value, "keep-alive")) noted.keepAlive = true;
      if (listsToken(value, "upgrade")) noted.upgrade = true;
      break;
    case "expect":
      if (value.toLowerCase() === "100-continue") noted.continue = true;
      else noted.expectation = value;
      break;
    case "te":
      if (listsToken(value, "trailers")) noted.trailers = true;
      break;
    case "upgrade":
      noted.protocol = listed(noted.protocol, value);
      break;
  }
}

function single(
  name: string,
  earlier: string | undefined,
  value: string,
): string {
  if (earlier === undefined) return value;
  throw new HttpError(400, `Cannot accept ${name} twice: ${quote(value)}`);
}

function checkHost(host: string | undefined, http11: boolean): void {
  if (host === undefined) {
    if (!http11) return;
    throw new HttpError(400, "Cannot serve HTTP/1.1 request: no Host field");
  }
  if (!isHost(host)) {
    throw new HttpError(400, `Cannot parse Host: ${quote(host)}`);
  }
}

function framingOf(
  { contentLength, transferEncoding }: Noted,
  http11: boolean,
): BodyFraming {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined || !http11) {
      throw new HttpError(
        400,
        "Cannot accept Transfer-Encoding beside Content-Length, or on HTTP/1.0",
      );
    }
    checkCodings(transferEncoding);
    return "chunked";
  }
  if (contentLength === undefined) return 0;
  const length = parseContentLength(contentLength);
  if (length !== undefined) return length;
  throw new HttpError(
    400,
    `Cannot accept Content-Length: ${quote(contentLength)}`,
  );
}

/** Without a final `chunked`, nobody knows where the content ends. */
function checkCodings(value: string): void {
  const text = value.toLowerCase();
  if (text === "chunked") return;
  const codings = text.split(",").map(trimWhitespace);
  const framed = codings.pop() === "chunked" && codings.every(isOtherCoding);
  throw new HttpError(
    framed ? 501 : 400,
    `Cannot decode transfer coding: ${quote(value)}`,
  );
}

/** Whether `coding` is the name of one, with or without parameters. */
function isOtherCoding(coding: string): boolean {
  const name = trimWhitespace(coding.split(";", 1)[0]);
  return isToken(name) && name !== "chunked";
}

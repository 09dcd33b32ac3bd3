/**
 * A request out of its fields, in HTTP/2 and HTTP/3 (RFC 9113, section 8.3.1;
 * RFC 9114, section 4.3.1; RFC 8441, section 4).
 *
 * | request          | :method | :scheme   | :authority        | :path    | :protocol |
 * |------------------|---------|-----------|-------------------|----------|-----------|
 * | CONNECT          | CONNECT | –         | host and port     | –        | –         |
 * | extended CONNECT | CONNECT | http(s)   | host              | a path   | a token   |
 * | OPTIONS          | OPTIONS | http(s)   | host, or Host     | a path, * | –        |
 * | all others       | a token | http(s)   | host, or Host     | a path   | –         |
 *
 * Anything else is malformed. So are a Host that differs from `:authority`, a
 * Content-Length that is repeated or no number, and one above 0 in a request that
 * has no content. What is well-formed, and cannot be served, has a status: 413,
 * 414, 417.
 *
 * @module
 */

import {
  type Field,
  isToken,
  listed,
  parseContentLength,
  withHost,
} from "./fields.ts";
import {
  MalformedError,
  type PseudoFields,
  readFieldSection,
} from "./field_section.ts";
import { HttpError, quote } from "./http_error.ts";
import { MAX_METHOD_LENGTH, type RequestLimits } from "./limits.ts";
import {
  isHost,
  parseRequestTarget,
  type RequestTarget,
} from "./request_target.ts";

/** A request whose fields have passed every check. */
export interface RequestFields {
  /** The method, in uppercase. */
  readonly method: string;
  /** The path and query; of CONNECT, its authority. */
  readonly target: RequestTarget;
  /** All fields, Host first, with the value of `:authority` if that was there. */
  readonly headers: Field[];
  /** `:protocol` of an extended CONNECT, as it came. */
  readonly protocol: string | undefined;
  /** How much content there must be; `undefined` if nothing says it. */
  readonly contentLength: number | undefined;
  /** Whether the client waits for a 100 before it sends the content. */
  readonly expectsContinue: boolean;
  /** The field Priority (RFC 9218), if there is one. */
  readonly priority: string | undefined;
}

/** What of its limits a request can break in its fields. */
export type FieldLimits = Pick<
  RequestLimits,
  "maxRequestLineBytes" | "maxBodyBytes"
>;

const SCHEME = /^https?$/i;

/** The fields that mean something to the server. */
interface Noted {
  host: string | undefined;
  contentLength: string | undefined;
  expect: string | undefined;
  priority: string | undefined;
}

/**
 * Reads the fields of a request; `hasContent` says whether content may follow.
 *
 * @throws {MalformedError} If they are no request.
 * @throws {HttpError} 413, 414 or 417 if they are one that is not served.
 */
export function readRequestFields(
  decoded: readonly Field[],
  hasContent: boolean,
  limits: FieldLimits,
): RequestFields {
  const section = readFieldSection(decoded);
  const noted = noteFields(section.fields);
  const method = readMethod(section.pseudo[":method"]);
  const target = readTarget(method, section.pseudo, limits);
  const host = readHost(section.pseudo[":authority"], noted.host);
  const isConnect = method === "CONNECT";
  const contentLength = readContentLength(noted.contentLength, hasContent);
  if (!isConnect && (contentLength ?? 0) > limits.maxBodyBytes) {
    const message = `Content-Length exceeds ${limits.maxBodyBytes}`;
    throw new HttpError(413, `Cannot serve request: ${message}`);
  }
  return {
    method,
    target,
    headers: withHost(section.fields, host),
    protocol: section.pseudo[":protocol"],
    // What follows a CONNECT is a tunnel, and no content.
    contentLength: isConnect ? undefined : contentLength,
    expectsContinue: readExpect(noted.expect) && hasContent,
    priority: noted.priority,
  };
}

function noteFields(fields: readonly Field[]): Noted {
  const noted: Noted = {
    host: undefined,
    contentLength: undefined,
    expect: undefined,
    priority: undefined,
  };
  for (const [name, value] of fields) {
    if (name === "host") noted.host = single(name, noted.host, value);
    else if (name === "content-length") {
      noted.contentLength = single(name, noted.contentLength, value);
    } else if (name === "expect") noted.expect = value;
    else if (name === "priority") {
      noted.priority = listed(noted.priority, value);
    }
  }
  return noted;
}

function single(
  name: string,
  earlier: string | undefined,
  value: string,
): string {
  if (earlier === undefined) return value;
  throw new MalformedError(`Cannot accept ${name} twice: ${quote(value)}`);
}

/** Methods are case-sensitive, but ASGI wants uppercase: "get" is taken for GET. */
function readMethod(method: string | undefined): string {
  if (method === "GET") return method;
  if (
    method !== undefined && method.length <= MAX_METHOD_LENGTH &&
    isToken(method)
  ) return method.toUpperCase();
  throw new MalformedError(`Cannot accept :method ${quote(method ?? "")}`);
}

function readTarget(
  method: string,
  pseudo: PseudoFields,
  limits: FieldLimits,
): RequestTarget {
  const isConnect = method === "CONNECT";
  const { ":scheme": scheme, ":path": path, ":authority": authority } = pseudo;
  if (isConnect && pseudo[":protocol"] === undefined) {
    if (scheme === undefined && path === undefined && authority !== undefined) {
      return parseTarget(method, authority);
    }
    throw new MalformedError("CONNECT must have :authority only");
  }
  checkExtended(isConnect, pseudo);
  if (scheme === undefined || !SCHEME.test(scheme) || path === undefined) {
    throw new MalformedError("A request must have :scheme http(s) and :path");
  }
  if (path.length > limits.maxRequestLineBytes) {
    throw new HttpError(414, "Cannot serve request: :path too long");
  }
  if (path[0] === "/" || path === "*" && method === "OPTIONS") {
    return parseTarget(isConnect ? "GET" : method, path);
  }
  throw new MalformedError(`Cannot accept :path ${quote(path)}`);
}

/** An extended CONNECT names what it wants to speak, and with whom. */
function checkExtended(isConnect: boolean, pseudo: PseudoFields): void {
  const { ":protocol": protocol, ":authority": authority } = pseudo;
  if (protocol === undefined) return;
  if (isConnect && authority !== undefined && isToken(protocol)) return;
  throw new MalformedError(`Cannot accept :protocol ${quote(protocol)}`);
}

function parseTarget(method: string, target: string): RequestTarget {
  try {
    return parseRequestTarget(method, target);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new MalformedError(error.message);
  }
}

function readHost(
  authority: string | undefined,
  host: string | undefined,
): string {
  const name = authority ?? host;
  if (name === undefined || !isHost(name)) {
    throw new MalformedError(`Cannot accept authority ${quote(name ?? "")}`);
  }
  if (host !== undefined && host.toLowerCase() !== name.toLowerCase()) {
    throw new MalformedError(`Host differs from :authority: ${quote(host)}`);
  }
  return name;
}

function readContentLength(
  value: string | undefined,
  hasContent: boolean,
): number | undefined {
  if (value === undefined) return hasContent ? undefined : 0;
  const length = parseContentLength(value);
  if (length !== undefined && (hasContent || length === 0)) return length;
  throw new MalformedError(`Cannot accept content-length: ${quote(value)}`);
}

function readExpect(value: string | undefined): boolean {
  if (value === undefined) return false;
  if (value.toLowerCase() === "100-continue") return true;
  throw new HttpError(417, `Cannot meet expectation: ${quote(value)}`);
}

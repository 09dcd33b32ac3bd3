/**
 * The head of a request: request line and fields (RFC 9112, sections 2–6).
 *
 * The rules are strict where leniency has led to request smuggling: one SP
 * between the parts of the request line, no white space before a colon, no
 * folded lines, one Host, one Content-Length of digits only, "chunked" as the
 * only transfer coding and never beside a Content-Length.
 *
 * @module
 */

import {
  type ByteReader,
  LineError,
  type LineFault,
} from "../streams/byte_reader.ts";
import { type Field, isToken, listsToken } from "../fields.ts";
import { parseFieldLines } from "./field_lines.ts";
import { HttpError, quote } from "./http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "./limits.ts";
import {
  isHost,
  parseRequestTarget,
  type RequestTarget,
} from "./request_target.ts";

/** How the content of a request is delimited: its length, or chunk by chunk. */
export type BodyFraming = number | "chunked";

/** A request head that has passed every check. */
export interface RequestHead {
  /** As it came: methods are case-sensitive. */
  readonly method: string;
  /** The target, taken apart. */
  readonly target: RequestTarget;
  /** The version after "HTTP/". */
  readonly version: "1.0" | "1.1";
  /** All fields in the order in which they came, repeated ones too. */
  readonly headers: Field[];
  /** How the content is delimited; 0 if there is none. */
  readonly framing: BodyFraming;
  /** Whether the client allows another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for a 100 before it sends the content. */
  readonly expectsContinue: boolean;
  /** Whether the client accepts trailers. */
  readonly acceptsTrailers: boolean;
  /** Whether the client asks for another protocol (Upgrade, on 1.1). */
  readonly upgrade: boolean;
}

const MAX_METHOD_LENGTH = 32;
const VERSION = /^HTTP\/[0-9]\.[0-9]$/;
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

const HEAD_FAULT_STATUS: Partial<Record<LineFault, number>> = {
  "line too long": 414,
  "block too long": 431,
};

/**
 * Parses the request heads of one connection, one after the other.
 *
 * @example
 * ```ts
 * import { ByteReader, RequestHeadParser } from "jsr:@x/asgi/http1";
 *
 * const bytes = new Blob(["GET /a?b HTTP/1.1\r\nHost: c\r\n\r\n"]).stream();
 * const head = await new RequestHeadParser(new ByteReader(bytes)).read();
 * head?.target; // { path: "/a", query: "b" }
 * ```
 */
export class RequestHeadParser {
  readonly #reader: ByteReader;
  readonly #limits: RequestLimits;
  /** One empty line is tolerated before each request line. */
  #emptyLineSeen = false;

  /** Reads from `reader`, which may be read by others between two heads. */
  constructor(reader: ByteReader, limits: RequestLimits = DEFAULT_LIMITS) {
    this.#reader = reader;
    this.#limits = limits;
  }

  /**
   * Takes a request head from what is buffered.
   *
   * @returns `undefined` if more bytes are needed.
   * @throws {HttpError} If what is buffered is not the start of a request.
   */
  take(): RequestHead | undefined {
    let block = this.#takeBlock();
    if (block === "" && !this.#emptyLineSeen) {
      this.#emptyLineSeen = true;
      block = this.#takeBlock();
    }
    if (block === undefined) return undefined;
    if (block === "") throw new HttpError(400, "Cannot parse empty request");
    this.#emptyLineSeen = false;
    return parseRequestHead(block, this.#limits);
  }

  /**
   * Reads a request head, however many chunks of the stream that takes.
   *
   * @returns `null` if the stream ends before a request begins.
   * @throws {HttpError} If the bytes are no request.
   */
  async read(): Promise<RequestHead | null> {
    for (;;) {
      const head = this.take();
      if (head !== undefined) return head;
      if (await this.#reader.fill()) continue;
      if (this.#reader.buffered === 0) return null;
      throw new HttpError(400, "Cannot read request head: the stream ended");
    }
  }

  #takeBlock(): string | undefined {
    const { maxRequestLineBytes, maxHeaderBytes } = this.#limits;
    try {
      return this.#reader.takeBlock(maxRequestLineBytes, maxHeaderBytes);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw new HttpError(HEAD_FAULT_STATUS[error.fault] ?? 400, error.message);
    }
  }
}

/** Parses lines that each end in CRLF; the first is the request line. */
function parseRequestHead(block: string, limits: RequestLimits): RequestHead {
  const lineEnd = block.indexOf("\r\n");
  const { method, target, version } = parseRequestLine(block.slice(0, lineEnd));
  const headers = parseFieldLines(block, lineEnd + 2, limits.maxHeaders);
  const http11 = version === "1.1";

  let host: string | undefined;
  let contentLength: string | undefined;
  let transferCoding: string | undefined;
  let keepAlive = http11;
  let close = false;
  let expectsContinue = false;
  let acceptsTrailers = false;
  let upgrade = false;
  let upgradeRequested = false;
  for (const [name, value] of headers) {
    switch (name) {
      case "host":
        host = checkHost(host, value);
        break;
      case "content-length":
        contentLength = checkContentLength(contentLength, value);
        break;
      case "transfer-encoding":
        transferCoding = checkTransferCoding(transferCoding, value, http11);
        break;
      case "connection":
        if (listsToken(value, "close")) close = true;
        if (listsToken(value, "keep-alive")) keepAlive = true;
        if (listsToken(value, "upgrade")) upgradeRequested = true;
        break;
      case "expect":
        if (http11) expectsContinue = checkExpectation(value);
        break;
      case "te":
        acceptsTrailers ||= http11 && listsToken(value, "trailers");
        break;
      case "upgrade":
        upgrade = http11;
        break;
    }
  }

  if (http11 && host === undefined) {
    throw new HttpError(400, "Cannot serve HTTP/1.1 request: no Host field");
  }
  if (transferCoding !== undefined && contentLength !== undefined) {
    throw new HttpError(
      400,
      "Cannot frame request: both Content-Length and Transfer-Encoding",
    );
  }
  const framing = transferCoding === undefined
    ? Number(contentLength ?? 0)
    : "chunked";
  if (framing !== "chunked" && framing > limits.maxBodyBytes) {
    throw new HttpError(
      413,
      `Cannot serve request: Content-Length exceeds ${limits.maxBodyBytes}`,
    );
  }
  return {
    method,
    target,
    version,
    headers: target.authority === undefined || method === "CONNECT"
      ? headers
      : replaceHost(headers, target.authority),
    framing,
    keepAlive: keepAlive && !close,
    expectsContinue: expectsContinue && framing !== 0,
    acceptsTrailers,
    upgrade: upgrade && upgradeRequested,
  };
}

function parseRequestLine(
  line: string,
): { method: string; target: RequestTarget; version: "1.0" | "1.1" } {
  const methodEnd = line.indexOf(" ");
  const targetEnd = line.indexOf(" ", methodEnd + 1);
  const method = line.slice(0, methodEnd);
  const version = line.slice(targetEnd + 1);
  if (methodEnd === -1 || targetEnd === -1 || !isMethod(method)) {
    throw new HttpError(400, `Cannot parse request line: ${quote(line)}`);
  }
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    const status = VERSION.test(version) ? 505 : 400;
    throw new HttpError(status, `Cannot serve version: ${quote(version)}`);
  }
  return {
    method,
    target: parseRequestTarget(method, line.slice(methodEnd + 1, targetEnd)),
    version: version === "HTTP/1.1" ? "1.1" : "1.0",
  };
}

function isMethod(method: string): boolean {
  return method === "GET" ||
    method.length <= MAX_METHOD_LENGTH && isToken(method);
}

function checkHost(earlier: string | undefined, value: string): string {
  if (earlier !== undefined) {
    throw new HttpError(400, "Cannot accept two Hosts");
  }
  if (!isHost(value)) {
    throw new HttpError(400, `Cannot parse Host: ${quote(value)}`);
  }
  return value;
}

function checkContentLength(
  earlier: string | undefined,
  value: string,
): string {
  if (earlier !== undefined || !CONTENT_LENGTH.test(value)) {
    throw new HttpError(400, `Cannot accept Content-Length: ${quote(value)}`);
  }
  return value;
}

function checkTransferCoding(
  earlier: string | undefined,
  value: string,
  http11: boolean,
): string {
  if (earlier !== undefined || !http11) {
    throw new HttpError(400, "Cannot accept Transfer-Encoding here");
  }
  if (value.toLowerCase() !== "chunked") {
    throw new HttpError(501, `Cannot decode transfer coding: ${quote(value)}`);
  }
  return value;
}

function checkExpectation(value: string): true {
  if (value.toLowerCase() === "100-continue") return true;
  throw new HttpError(417, `Cannot meet expectation: ${quote(value)}`);
}

/** The authority of an absolute target replaces Host (RFC 9112, section 3.2.2). */
function replaceHost(headers: Field[], authority: string): Field[] {
  const others = headers.filter(([name]) => name !== "host");
  return [["host", authority], ...others];
}

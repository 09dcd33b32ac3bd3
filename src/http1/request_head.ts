/**
 * The head of a request: request line and fields (RFC 9112, sections 2–6).
 *
 * The request line has one SP between its parts, and no other white space; what
 * the fields must be is said where they are read.
 *
 * @module
 */

import {
  type ByteReader,
  LineError,
  type LineFault,
} from "../streams/byte_reader.ts";
import type { RequestInfo } from "../http/exchange.ts";
import { type Field, isToken, withHost } from "../http/fields.ts";
import {
  type ConnectionFields,
  readConnectionFields,
} from "./connection_fields.ts";
import { parseFieldLines } from "./field_lines.ts";
import { HttpError, quote } from "../http/http_error.ts";
import {
  DEFAULT_LIMITS,
  MAX_METHOD_LENGTH,
  type RequestLimits,
} from "../http/limits.ts";
import {
  parseRequestTarget,
  type RequestTarget,
} from "../http/request_target.ts";

/** A request head that has passed every check. */
export interface RequestHead extends RequestInfo, ConnectionFields {
  /**
   * The method, in uppercase. It is brought into this case here and nowhere
   * else, so that framing and the application see the same.
   */
  readonly method: string;
  /** The target, taken apart. */
  readonly target: RequestTarget;
  /** The version after "HTTP/". */
  readonly version: "1.0" | "1.1";
  /** All fields in the order in which they came, repeated ones too. */
  readonly headers: Field[];
}

const VERSION = /^HTTP\/[0-9]\.[0-9]$/;

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
      if (!await this.#reader.fill()) return this.end();
    }
  }

  /**
   * To be called at the end of the stream.
   *
   * @throws {HttpError} If a request has begun.
   */
  end(): null {
    if (this.#reader.buffered === 0) return null;
    throw new HttpError(400, "Cannot read request head: the stream ended");
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
  const fields = readConnectionFields(headers, version === "1.1");
  const { framing } = fields;
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
    // The authority of an absolute target replaces Host (RFC 9112, section 3.2.2).
    headers: target.authority === undefined || method === "CONNECT"
      ? headers
      : withHost(headers, target.authority),
    framing,
    keepAlive: fields.keepAlive,
    expectsContinue: fields.expectsContinue,
    acceptsTrailers: fields.acceptsTrailers,
    protocol: fields.protocol,
  };
}

function parseRequestLine(
  line: string,
): { method: string; target: RequestTarget; version: "1.0" | "1.1" } {
  const methodEnd = line.indexOf(" ");
  const targetEnd = line.indexOf(" ", methodEnd + 1);
  const name = line.slice(0, methodEnd);
  const version = line.slice(targetEnd + 1);
  if (methodEnd === -1 || targetEnd === -1) throw malformed(line);
  const method = name === "GET" ? name : otherMethod(name, line);
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

/** Methods are case-sensitive, but ASGI wants uppercase: "get" is taken for GET. */
function otherMethod(method: string, line: string): string {
  if (!isToken(method)) throw malformed(line);
  if (method.length <= MAX_METHOD_LENGTH) return method.toUpperCase();
  throw new HttpError(501, `Cannot serve method: ${quote(method)}`);
}

function malformed(line: string): HttpError {
  return new HttpError(400, `Cannot parse request line: ${quote(line)}`);
}

/**
 * The options of an HTTP/2 connection.
 *
 * @module
 */

import { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
import type { ResponseDefaults } from "../http/response_fields.ts";
import { MAX_31_BITS } from "./frames.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

/** Limits, deadlines (in milliseconds; `Infinity` for none), and defaults. */
export interface Http2Options extends RequestLimits, ResponseDefaults {
  /**
   * From accept to the client's SETTINGS, and from HEADERS to the end of their
   * header block; past it, the connection is closed.
   */
  readonly headerTimeout: number;
  /** How long a connection may have no streams. */
  readonly keepAliveTimeout: number;
  /** How long the application may wait for a byte of the content. */
  readonly bodyTimeout: number;
  /** How long content may wait for the window of a client; past it: CANCEL. */
  readonly writeTimeout: number;
  /** How long the client may take to close, after all was sent. */
  readonly drainTimeout: number;
  /** After how many requests the connection is closed. */
  readonly maxRequestsPerConnection: number;
  /** Whether early hints (103) may be sent. */
  readonly earlyHints: boolean;
  /** How many streams a client may have open at once; past it: REFUSED_STREAM. */
  readonly maxConcurrentStreams: number;
  /**
   * How much content of one request may wait for its application, in bytes: the
   * window of a stream (RFC 9113, section 6.9.2).
   */
  readonly http2StreamWindow: number;
  /**
   * How much content of all requests may wait before the client has to pause, in
   * bytes. Up to that, a request that is not read does not stop the others.
   */
  readonly http2BufferBytes: number;
}

/** The options that hold unless others are given. */
export const DEFAULT_HTTP2_OPTIONS: Http2Options = {
  ...DEFAULT_LIMITS,
  headerTimeout: 30_000,
  keepAliveTimeout: 75_000,
  bodyTimeout: 60_000,
  writeTimeout: 60_000,
  drainTimeout: 5_000,
  maxRequestsPerConnection: Infinity,
  earlyHints: false,
  dateHeader: true,
  serverHeader: "x-asgi",
  maxConcurrentStreams: 100,
  http2StreamWindow: 256 * 1024,
  http2BufferBytes: 4 * 1024 * 1024,
};

/**
 * Checks what the protocol bounds. A client may use the initial window before it
 * knows another, so a smaller one cannot be had.
 *
 * @throws {RangeError} If an option is out of its range.
 */
export function checkHttp2Options(options: Http2Options): void {
  const { INITIAL_WINDOW_SIZE } = DEFAULT_SETTINGS;
  check(options, "maxConcurrentStreams", 1);
  check(options, "http2StreamWindow", INITIAL_WINDOW_SIZE);
  check(options, "http2BufferBytes", INITIAL_WINDOW_SIZE);
}

function check(
  options: Http2Options,
  name: "maxConcurrentStreams" | "http2StreamWindow" | "http2BufferBytes",
  min: number,
): void {
  const value = options[name];
  if (Number.isInteger(value) && value >= min && value <= MAX_31_BITS) return;
  throw new RangeError(
    `Cannot set ${name} to ${value}: it must be a whole number from ${min} to ${MAX_31_BITS}`,
  );
}

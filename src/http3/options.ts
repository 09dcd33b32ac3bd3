/**
 * The options of an HTTP/3 connection.
 *
 * @module
 */

import { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
import type { ResponseDefaults } from "../http/response_fields.ts";

/** Limits, deadlines (in milliseconds; `Infinity` for none), and defaults. */
export interface Http3Options extends RequestLimits, ResponseDefaults {
  /**
   * From accept to the client's SETTINGS; past it, the connection is closed. From
   * the start of a stream to the end of its request's fields; past it: 408.
   */
  readonly headerTimeout: number;
  /** How long a connection may have no streams. */
  readonly keepAliveTimeout: number;
  /** How long the application may wait for a byte of the content. */
  readonly bodyTimeout: number;
  /**
   * How long a write may wait for the client; past it the connection is closed, as
   * a single stream can't be.
   */
  readonly writeTimeout: number;
  /**
   * How long the content of a request is read and dropped that was answered before
   * it has come; past it, the client is stopped, and may drop the answer.
   */
  readonly drainTimeout: number;
  /** After how many requests the connection is closed. */
  readonly maxRequestsPerConnection: number;
  /** Whether early hints (103) may be sent. */
  readonly earlyHints: boolean;
  /**
   * How many requests a client may have under way, those included that it has
   * cancelled and whose handlers still run; past it: 503. QUIC must be set to as
   * many streams in both directions.
   */
  readonly maxConcurrentStreams: number;
}

/** The options that hold unless others are given. */
export const DEFAULT_HTTP3_OPTIONS: Http3Options = {
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
  maxConcurrentStreams: 64,
};

/**
 * Checks what the protocol bounds.
 *
 * @throws {RangeError} If an option is out of its range.
 */
export function checkHttp3Options(
  { maxConcurrentStreams }: Http3Options,
): void {
  if (Number.isInteger(maxConcurrentStreams) && maxConcurrentStreams >= 1) {
    return;
  }
  throw new RangeError(
    `Cannot set maxConcurrentStreams to ${maxConcurrentStreams}: it must be a whole number from 1 on`,
  );
}

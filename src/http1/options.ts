/**
 * The options of an HTTP/1 connection.
 *
 * @module
 */

import { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
import type { ResponseDefaults } from "../http/response_fields.ts";

/** Limits, deadlines (in milliseconds; `Infinity` for none), and defaults. */
export interface Http1Options extends RequestLimits, ResponseDefaults {
  /**
   * From accept, or from a later request's first byte, to the head's end; past
   * it: 408, or close if no byte has come.
   */
  readonly headerTimeout: number;
  /** How long a connection may be idle between two requests. */
  readonly keepAliveTimeout: number;
  /** How long the application may wait for a byte of the body. */
  readonly bodyTimeout: number;
  /**
   * How many bytes of an unread body are read to keep the connection; if more
   * is left, or nobody knows how much, the response says that it closes.
   */
  readonly drainBytes: number;
  /** How long the client may take to send them, or to close. */
  readonly drainTimeout: number;
  /** After how many requests the connection is closed. */
  readonly maxRequestsPerConnection: number;
  /**
   * Whether early hints (103) may be sent. Some proxies take a 103 for the final
   * response, and give the real one to the next client of the connection
   * (RFC 8297, section 3).
   */
  readonly earlyHints: boolean;
}

/** The options that hold unless others are given. */
export const DEFAULT_HTTP1_OPTIONS: Http1Options = {
  ...DEFAULT_LIMITS,
  headerTimeout: 30_000,
  keepAliveTimeout: 75_000,
  bodyTimeout: 60_000,
  drainBytes: 64 * 1024,
  drainTimeout: 5_000,
  maxRequestsPerConnection: Infinity,
  earlyHints: false,
  dateHeader: true,
  serverHeader: "x-asgi",
};

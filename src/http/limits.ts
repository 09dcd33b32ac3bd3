/**
 * What a request may weigh. A request past a limit is refused, never truncated.
 *
 * @module
 */

/** Limits of one request, in bytes unless said otherwise. */
export interface RequestLimits {
  /** The request line, without its CRLF; past it: 414. */
  readonly maxRequestLineBytes: number;
  /** All fields together, with their CRLFs; trailers likewise; past it: 431. */
  readonly maxHeaderBytes: number;
  /** The number of fields; trailers likewise; past it: 431. */
  readonly maxHeaders: number;
  /** The content, de-chunked; past it: 413. */
  readonly maxBodyBytes: number;
}

/** The most characters of a method; a longer one is refused. */
export const MAX_METHOD_LENGTH = 32;

/** The limits that hold unless others are given. */
export const DEFAULT_LIMITS: RequestLimits = {
  maxRequestLineBytes: 8 * 1024,
  maxHeaderBytes: 64 * 1024,
  maxHeaders: 128,
  maxBodyBytes: Infinity,
};

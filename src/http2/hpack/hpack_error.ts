/**
 * The one door by which errors of HPACK leave.
 *
 * @module
 */

/**
 * Thrown for a header block that cannot be decoded. The dynamic table is out of
 * step with the peer's from then on: the connection must end with this code
 * (RFC 9113, section 4.3).
 */
export class HpackError extends Error {
  /** The name of the class. */
  override readonly name = "HpackError";
  /** `COMPRESSION_ERROR` (RFC 9113, section 7). */
  readonly code = 0x9;
}

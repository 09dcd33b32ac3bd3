/**
 * The one door by which errors of QPACK leave.
 *
 * @module
 */

/** The errors of QPACK (RFC 9204, section 6). All of them end the connection. */
export const QPACK_ERROR_CODES = {
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
} as const;

/** The name of an error of QPACK. */
export type QpackErrorName = keyof typeof QPACK_ERROR_CODES;

/** Thrown for bytes that break a rule of QPACK: the connection must end. */
export class QpackError extends Error {
  /** The name of the class. */
  override readonly name = "QpackError";
  /** What has failed. */
  readonly errorName: QpackErrorName;

  /** Creates an error that ends the connection with `errorName`. */
  constructor(errorName: QpackErrorName, message: string) {
    super(message);
    this.errorName = errorName;
  }

  /** The code that the connection is closed with. */
  get code(): number {
    return QPACK_ERROR_CODES[this.errorName];
  }
}

/**
 * The errors of HTTP/3 (RFC 9114, section 8.1; RFC 9297, section 2.1). Each of them
 * ends the connection: QUIC as it is offered here can't end a single stream.
 *
 * @module
 */

/** The codes that a connection is closed with. */
export const ERROR_CODES = {
  H3_NO_ERROR: 0x100,
  H3_GENERAL_PROTOCOL_ERROR: 0x101,
  H3_INTERNAL_ERROR: 0x102,
  H3_STREAM_CREATION_ERROR: 0x103,
  H3_CLOSED_CRITICAL_STREAM: 0x104,
  H3_FRAME_UNEXPECTED: 0x105,
  H3_FRAME_ERROR: 0x106,
  H3_EXCESSIVE_LOAD: 0x107,
  H3_ID_ERROR: 0x108,
  H3_SETTINGS_ERROR: 0x109,
  H3_MISSING_SETTINGS: 0x10a,
  H3_REQUEST_REJECTED: 0x10b,
  H3_REQUEST_CANCELLED: 0x10c,
  H3_REQUEST_INCOMPLETE: 0x10d,
  H3_MESSAGE_ERROR: 0x10e,
  H3_CONNECT_ERROR: 0x10f,
  H3_VERSION_FALLBACK: 0x110,
} as const;

/** The name of a code. */
export type ErrorName = keyof typeof ERROR_CODES;

/** Thrown when a client breaks a rule. */
export class Http3Error extends Error {
  /** The name of the class. */
  override readonly name = "Http3Error";
  /** Which rule. */
  readonly errorName: ErrorName;

  /** Its message is sent to the client: it holds nothing that the client sent. */
  constructor(errorName: ErrorName, message: string) {
    super(message);
    this.errorName = errorName;
  }

  /** The code that the connection is closed with. */
  get code(): number {
    return ERROR_CODES[this.errorName];
  }
}

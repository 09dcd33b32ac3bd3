/**
 * The one door by which errors of the protocol leave.
 *
 * @module
 */

/**
 * Thrown for bytes that break the protocol, with the code to close with; and
 * for what is asked of a connection that has ended, with the code of its end.
 */
export class WebSocketError extends Error {
  /** The name of the class. */
  override readonly name = "WebSocketError";
  /** The close code (RFC 6455, section 7.4). */
  readonly code: number;

  /** Creates an error for a close code. */
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

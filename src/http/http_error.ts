/**
 * The one door by which protocol errors leave.
 *
 * @module
 */

/**
 * Thrown for a request that is refused, with the status code to answer with.
 * Its connection cannot be trusted any more: answer, then close.
 */
export class HttpError extends Error {
  /** The name of the class. */
  override readonly name = "HttpError";
  /** The status code of the answer, 400–599 (RFC 9110, section 15). */
  readonly status: number;

  /** Creates an error that is answered with `status`. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Shows at most the first 60 characters of what came from the wire, with quotes,
 * backslashes and every control character escaped.
 */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
    .replaceAll(
      /[\x7f-\x9f]/g,
      (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
    );
}

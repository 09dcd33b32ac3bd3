/**
 * What the head of a final response must be in every version of HTTP, and the
 * fields that a server adds to it.
 *
 * @module
 */

import { parseContentLength } from "./fields.ts";

/** Fields that are added to a response that does not have them. */
export interface ResponseDefaults {
  /** Whether each response says the date. */
  readonly dateHeader: boolean;
  /** The value of the Server field; `null` for none. */
  readonly serverHeader: string | null;
  /** The value of the Alt-Svc field (RFC 7838), if there is any. */
  readonly altSvc?: string | undefined;
}

/**
 * Checks the status of a final response.
 *
 * @throws {RangeError} If it is none.
 */
export function checkFinalStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 999) return;
  throw new RangeError(
    `Cannot begin response: the status is ${status}, and must be a whole number from 200 to 999`,
  );
}

/**
 * Checks the status of an interim response.
 *
 * @throws {RangeError} If it is none, or 101, which leaves HTTP.
 */
export function checkInterimStatus(status: number): void {
  if (
    Number.isInteger(status) && status >= 100 && status <= 199 && status !== 101
  ) return;
  throw new RangeError(
    `Cannot send interim response: the status is ${status}, and must be a whole number from 100 to 199 other than 101`,
  );
}

/**
 * Reads the Content-Length of a response; `earlier` is that of another field.
 *
 * @throws {RangeError} If it is no number, or there are two.
 */
export function readDeclaredLength(
  earlier: number | undefined,
  value: string,
): number {
  const length = parseContentLength(value);
  if (earlier === undefined && length !== undefined) return length;
  throw new RangeError(
    `Cannot begin response: content-length must be one number, not "${value}"`,
  );
}

/** Whether a status has no content, and no length that the application sets. */
export function isEmptyStatus(status: number): boolean {
  return status === 204 || status === 205;
}

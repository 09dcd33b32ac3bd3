/**
 * The value of the Date field (RFC 9110, section 6.6.1).
 *
 * @module
 */

let second = 0;
let value = "";

/** The current date; the string is made once a second. */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    value = new Date(now * 1000).toUTCString();
  }
  return value;
}

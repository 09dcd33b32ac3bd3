/**
 * Escapes text from any source for a log: no control character remains that could
 * begin a line, move a cursor or reverse the direction of text.
 *
 * @module
 */

/** Anything but printable ASCII; and quotes and backslashes. */
const NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/u;
const ALL_NOT_PLAIN = new RegExp(NOT_PLAIN, "gu");

/** Most text is all printable ASCII, which is quicker to see than the rest. */
const NOT_ASCII = /[^\x20-\x7e]/;
/** Controls, marks that no one sees, halves of pairs, other line ends. */
const ALL_INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A field of an access line: printable ASCII, which can stand in quotes. */
export function escapeField(text: string): string {
  // Most texts need no escape, and a test is cheaper than a replacement.
  return NOT_PLAIN.test(text) ? text.replaceAll(ALL_NOT_PLAIN, hex) : text;
}

/** A line for people: any script, but nothing invisible. */
export function escapeText(text: string): string {
  return NOT_ASCII.test(text) ? text.replaceAll(ALL_INVISIBLE, hex) : text;
}

/** A value as JSON in one line, without anything invisible. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (!NOT_ASCII.test(json)) return `${json}\n`;
  return `${json.replaceAll(ALL_INVISIBLE, jsonEscape)}\n`;
}

function hex(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
}

function jsonEscape(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    const code = character.charCodeAt(i).toString(16);
    escaped += `\\u${code.padStart(4, "0")}`;
  }
  return escaped;
}

/**
 * The field Forwarded (RFC 7239), read from the right: the last element is what
 * the nearest proxy has appended, and the elements before it may be forged by the
 * client. So a quote that the client does not close cannot include what a proxy
 * has appended.
 *
 * @module
 */

import { isToken, trimWhitespace } from "../http/fields.ts";

/** The parameters of one element, names in lower case. */
export type ForwardedElement = ReadonlyMap<string, string>;

/** What is said by an element that cannot be read. */
const UNREADABLE: ForwardedElement = new Map([["for", "unknown"]]);
/** No proxy says more of one hop than this. */
const MAX_PARAMETERS = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;
const BARE = /^[^\s"]+$/;

/**
 * The elements of all field lines, the last one first. They end with the first
 * that cannot be read, which has `for=unknown` in its place.
 */
export function* parseForwarded(
  lines: readonly string[],
): Generator<ForwardedElement> {
  for (const line of lines.toReversed()) {
    for (const text of splitFromRight(line, ",")) {
      const element = parseElement(text);
      yield element ?? UNREADABLE;
      if (element === undefined) return;
    }
  }
}

/** The members of a list, the last one first, without those that are empty. */
function* splitFromRight(text: string, separator: string): Generator<string> {
  const separatorCode = separator.charCodeAt(0);
  let end = text.length;
  let quoted = false;
  for (let at = end - 1; at >= -1; at--) {
    const code = text.charCodeAt(at); // NaN before the first.
    if (code === QUOTE && !(quoted && isEscaped(text, at))) quoted = !quoted;
    if (at >= 0 && (quoted || code !== separatorCode)) continue;
    const member = trimWhitespace(text.slice(at + 1, end));
    if (member !== "") yield member;
    end = at;
  }
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === BACKSLASH) start--;
  return (at - start) % 2 === 1;
}

function parseElement(text: string): ForwardedElement | undefined {
  const element = new Map<string, string>();
  for (const pair of splitFromRight(text, ";")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(equals, 0)).toLowerCase();
    const value = parseValue(pair.slice(equals + 1));
    if (!isToken(name) || value === undefined || element.has(name)) {
      return undefined;
    }
    if (element.size === MAX_PARAMETERS) return undefined;
    element.set(name, value);
  }
  return element;
}

/** A token or a quoted string; an address that should be quoted will do. */
function parseValue(text: string): string | undefined {
  const [, quoted] = QUOTED.exec(text) ?? [];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, "$1");
  return BARE.test(text) ? text : undefined;
}

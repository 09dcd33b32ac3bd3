/**
 * UTF-8, checked as it arrives (RFC 3629; RFC 6455, section 8.1).
 *
 * A message that is there in one piece is decoded and checked at once. One that
 * comes in pieces is checked piece by piece, and fails at the first byte that
 * no valid text can have there, however much of it is still to come.
 *
 * The first byte of a sequence says how many follow, and may narrow the second:
 *
 * | first | follow | second byte |                        |
 * |-------|--------|-------------|------------------------|
 * | C2–DF | 1      | 80–BF       |                        |
 * | E0    | 2      | A0–BF       | below: too long a form |
 * | ED    | 2      | 80–9F       | above: surrogates      |
 * | E1–EF | 2      | 80–BF       |                        |
 * | F0    | 3      | 90–BF       | below: too long a form |
 * | F4    | 3      | 80–8F       | above: past U+10FFFF   |
 * | F1–F3 | 3      | 80–BF       |                        |
 *
 * @module
 */

import { INVALID_DATA } from "./close_codes.ts";
import { WebSocketError } from "./websocket_error.ts";

/** A byte order mark is content like any other. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Five times as slow as the one that replaces what is invalid. */
const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const REPLACEMENT = "\ufffd";

/**
 * Decodes a whole text.
 *
 * @throws {WebSocketError} With 1007 if it is not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return fatalDecoder.decode(bytes); // It may be in the text itself.
  } catch {
    throw invalidText();
  }
}

/** Decodes a text that is known to be UTF-8. */
export function decodeValidText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The error for a text that is not UTF-8. */
export function invalidText(): WebSocketError {
  return new WebSocketError(INVALID_DATA, "Cannot read text: invalid UTF-8");
}

/** Checks texts that come in pieces, cut anywhere, one after the other. */
export class Utf8Validator {
  /** How many bytes of a sequence are still to come, and the next one's range. */
  #due = 0;
  #lower = 0x80;
  #upper = 0xbf;

  /** Whether no sequence is cut short by the end of what was seen. */
  get complete(): boolean {
    return this.#due === 0;
  }

  /** Checks the next piece; `false` if no valid text goes on like this. */
  push(bytes: Uint8Array): boolean {
    const length = bytes.length;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at];
      if (this.#due === 0) {
        if (byte >= 0x80 && !this.#begin(byte)) return false;
      } else {
        if (byte < this.#lower || byte > this.#upper) return false;
        this.#expect(this.#due - 1, 0x80, 0xbf);
      }
    }
    return true;
  }

  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) this.#expect(1, 0x80, 0xbf);
    else if (byte === 0xe0) this.#expect(2, 0xa0, 0xbf);
    else if (byte === 0xed) this.#expect(2, 0x80, 0x9f);
    else if (byte < 0xf0) this.#expect(2, 0x80, 0xbf);
    else if (byte === 0xf0) this.#expect(3, 0x90, 0xbf);
    else if (byte === 0xf4) this.#expect(3, 0x80, 0x8f);
    else this.#expect(3, 0x80, 0xbf);
    return true;
  }

  #expect(due: number, lower: number, upper: number): void {
    this.#due = due;
    this.#lower = lower;
    this.#upper = upper;
  }
}

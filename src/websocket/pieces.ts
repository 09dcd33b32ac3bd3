/**
 * Long messages, piece by piece: so that what is made of one (its UTF-8, what it
 * is compressed to) is never held as a whole, and the work on it can give way.
 *
 * @module
 */

/** What a message may hold. */
export type Data = string | Uint8Array;

/** A longer message is dealt with in pieces of this size. */
const MAX_PIECE_BYTES = 64 * 1024;
/** The same for text, of up to three bytes for each UTF-16 code unit. */
const MAX_PIECE_UNITS = 32 * 1024;

const encoder = new TextEncoder();
const scratch = new Uint8Array(3 * MAX_PIECE_UNITS);

/** Whether a message is too long for one piece. */
export function isLong(data: Data): boolean {
  return data.length > (isText(data) ? MAX_PIECE_UNITS : MAX_PIECE_BYTES);
}

/** Whether a message is text. */
export function isText(data: Data): data is string {
  return typeof data === "string";
}

/** The bytes of a whole message. */
export function bytesOf(data: Data): Uint8Array {
  return isText(data) ? encoder.encode(data) : data;
}

/** A part of a message. */
export interface Piece {
  /** The bytes; of a binary message, a view. */
  readonly bytes: Uint8Array;
  /** Whether the message begins with them. */
  readonly first: boolean;
  /** Whether the message ends with them. */
  readonly last: boolean;
}

/** The pieces of a message, which must not be empty. */
export function* piecesOf(data: Data): Generator<Piece, void> {
  for (let start = 0; start < data.length;) {
    const end = endOfPiece(data, start);
    const bytes = isText(data)
      ? encoder.encode(data.slice(start, end))
      : data.subarray(start, end);
    yield { bytes, first: start === 0, last: end === data.length };
    start = end;
  }
}

/** How many bytes a message has; those of a text are not kept. */
export function byteLength(data: Data): number {
  if (!isText(data)) return data.length;
  let length = 0;
  for (let start = 0; start < data.length;) {
    const end = endOfPiece(data, start);
    length += encoder.encodeInto(data.slice(start, end), scratch).written;
    start = end;
  }
  return length;
}

/** Where the piece ends that begins at `start`: never within a character. */
function endOfPiece(data: Data, start: number): number {
  if (!isText(data)) return Math.min(start + MAX_PIECE_BYTES, data.length);
  const end = Math.min(start + MAX_PIECE_UNITS, data.length);
  const cut = end < data.length && /[\ud800-\udbff]/.test(data[end - 1]);
  return cut ? end - 1 : end;
}

/**
 * Frames (RFC 6455, section 5): bytes in, parts of frames out, without waiting.
 *
 *     FIN RSV1 RSV2 RSV3 opcode(4)   MASK length(7)   length(16 | 64)?   key(32)?
 *
 * What a client may send, and 1002 for anything else:
 *
 * - every frame is masked, and its length is written in the shortest form;
 * - RSV1 marks the first frame of a compressed message, if compression was
 *   agreed on; no other reserved bit or opcode is ever set;
 * - control frames are whole, and have at most 125 bytes;
 * - a message is a text or binary frame and continuations up to FIN; control
 *   frames may come between its frames, other messages may not.
 *
 * The payload of a data frame is handed out as it arrives, that of a control
 * frame once it is whole. What a server sends is unmasked and never fragmented.
 *
 * @module
 */

import { MESSAGE_TOO_BIG, PROTOCOL_ERROR } from "./close_codes.ts";
import { mask } from "./mask.ts";
import { WebSocketError } from "./websocket_error.ts";

/** The opcodes that there are. */
export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

const FIN = 0x80;
const RSV1 = 0x40;
const RSV2_AND_3 = 0x30;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
const MAX_CONTROL_BYTES = 125;
const EMPTY = new Uint8Array(0);

/** Some of the payload of a data frame, unmasked. */
export interface DataPart {
  readonly type: "data";
  /** Whether the message is text. */
  readonly text: boolean;
  /** Whether the message is compressed. */
  readonly compressed: boolean;
  /** Whether the message starts with this part. */
  readonly first: boolean;
  /** Whether the frame is the last of its message. */
  readonly fin: boolean;
  /** How many bytes of the frame are still to come. */
  readonly remaining: number;
  /** A view of a buffer that other frames may share. */
  readonly payload: Uint8Array;
}

/** A control frame. */
export interface ControlFrame {
  readonly type: "close" | "ping" | "pong";
  /** A view of a buffer that other frames may share. */
  readonly payload: Uint8Array;
}

/** The start of a frame. */
interface FrameHeader {
  readonly flags: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly length: number;
  /** How many bytes the header has, the key among them. */
  readonly size: number;
}

/** Turns the bytes that a client sends into parts of frames. */
export class FrameDecoder {
  readonly #compression: boolean;

  /** The unread bytes are those of `#bytes` from `#at`. */
  #bytes: Uint8Array = EMPTY;
  #at = 0;

  /** The message that is under way, if any. */
  #message: { text: boolean; compressed: boolean } | undefined;
  /** Its frame: what of it is still to come, and what has been handed out. */
  #fin = true;
  #remaining = 0;
  #handedOut = 0;
  /** How much of the message was handed out before this frame. */
  #before = 0;
  #key = 0;

  /** `compression`: whether messages may be compressed. */
  constructor(compression = false) {
    this.#compression = compression;
  }

  /** Whether a frame has begun to arrive, or a message is not complete. */
  get midMessage(): boolean {
    return this.#message !== undefined || this.#at < this.#bytes.length;
  }

  /** Whether a message is not complete. */
  get inMessage(): boolean {
    return this.#message !== undefined;
  }

  /** How many bytes of the message that is not complete have arrived. */
  get received(): number {
    return this.#message === undefined ? 0 : this.#before + this.#handedOut;
  }

  /** Adds bytes that have arrived; they are this decoder's to change. */
  push(chunk: Uint8Array): void {
    const rest = this.#bytes.length - this.#at;
    if (rest === 0) {
      this.#bytes = chunk;
    } else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#bytes.subarray(this.#at));
      joined.set(chunk, rest);
      this.#bytes = joined;
    }
    this.#at = 0;
  }

  /**
   * Takes the next part; `undefined` if more bytes are needed.
   *
   * @throws {WebSocketError} If the bytes are no frame that may come here.
   */
  next(): DataPart | ControlFrame | undefined {
    if (this.#at === this.#bytes.length) return this.#forget();
    if (this.#remaining > 0) return this.#takeData(false);
    const header = parseHeader(this.#bytes, this.#at);
    if (header === undefined) return undefined;
    this.#check(header);
    if (header.opcode >= OPCODES.close) return this.#takeControl(header);
    return this.#beginData(header);
  }

  /** An idle connection need not hold the chunk that came last. */
  #forget(): undefined {
    this.#bytes = EMPTY;
    this.#at = 0;
  }

  /** Holds a header against all rules that its own bytes can break. */
  #check({ flags, opcode, masked, length }: FrameHeader): void {
    if (opcode > OPCODES.pong || opcode > 2 && opcode < OPCODES.close) {
      throw violation(`reserved opcode ${opcode}`);
    }
    if ((flags & RSV2_AND_3) !== 0) throw violation("reserved bit");
    const starts = opcode === OPCODES.text || opcode === OPCODES.binary;
    if ((flags & RSV1) !== 0 && !(this.#compression && starts)) {
      throw violation("reserved bit");
    }
    if (!masked) throw violation("not masked");
    if (opcode >= OPCODES.close) return checkControl(flags, length);
    if (starts && this.#message !== undefined) {
      throw violation("a message inside a message");
    }
    if (!starts && this.#message === undefined) {
      throw violation("a continuation of nothing");
    }
  }

  #takeControl(
    { opcode, length, size }: FrameHeader,
  ): ControlFrame | undefined {
    const start = this.#at + size;
    if (this.#bytes.length < start + length) return undefined;
    const payload = this.#bytes.subarray(start, start + length);
    mask(payload, readKey(this.#bytes, start - 4));
    this.#at = start + length;
    return { type: CONTROL_TYPES[opcode - OPCODES.close], payload };
  }

  #beginData({ flags, opcode, length, size }: FrameHeader): DataPart {
    const first = opcode !== OPCODES.continuation;
    this.#before = first ? 0 : this.#before + this.#handedOut;
    if (first) {
      const compressed = (flags & RSV1) !== 0;
      this.#message = { text: opcode === OPCODES.text, compressed };
    }
    this.#at += size;
    this.#fin = (flags & FIN) !== 0;
    this.#remaining = length;
    this.#handedOut = 0;
    this.#key = readKey(this.#bytes, this.#at - 4);
    return this.#takeData(first);
  }

  /** Takes what has arrived of the current frame, even if that is nothing. */
  #takeData(first: boolean): DataPart {
    const end = Math.min(this.#at + this.#remaining, this.#bytes.length);
    const payload = this.#bytes.subarray(this.#at, end);
    mask(payload, this.#key, this.#handedOut);
    this.#at = end;
    this.#handedOut += payload.length;
    this.#remaining -= payload.length;
    const { text, compressed } = this.#message!;
    const fin = this.#fin;
    const remaining = this.#remaining;
    if (fin && remaining === 0) this.#message = undefined;
    return { type: "data", text, compressed, first, fin, remaining, payload };
  }
}

const CONTROL_TYPES = ["close", "ping", "pong"] as const;

function checkControl(flags: number, length: number): void {
  if ((flags & FIN) === 0) throw violation("a fragmented control frame");
  if (length > MAX_CONTROL_BYTES) {
    throw violation(`a control frame of ${length} bytes`);
  }
}

/** Reads a header at `at`; `undefined` if it has not arrived as a whole. */
function parseHeader(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const available = bytes.length - at;
  if (available < 2) return undefined;
  const short = bytes[at + 1] & LENGTH;
  const masked = (bytes[at + 1] & MASKED) !== 0;
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  const size = 2 + extra + (masked ? 4 : 0);
  if (available < size) return undefined;
  return {
    flags: bytes[at] & ~OPCODE,
    opcode: bytes[at] & OPCODE,
    masked,
    length: extra === 0 ? short : readLength(bytes, at + 2, extra),
    size,
  };
}

/** Reads a length of 16 or 64 bits, which must not fit in a shorter form. */
function readLength(bytes: Uint8Array, at: number, size: 2 | 8): number {
  if (size === 2) {
    const length = bytes[at] << 8 | bytes[at + 1];
    if (length < 126) throw violation("a length in too long a form");
    return length;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  const length = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  if (view.getUint32(0) >= 2 ** 31) throw violation("a length of 64 bits");
  if (length < 2 ** 16) throw violation("a length in too long a form");
  if (length > Number.MAX_SAFE_INTEGER) {
    throw new WebSocketError(MESSAGE_TOO_BIG, "Cannot read frame: too long");
  }
  return length;
}

function readKey(bytes: Uint8Array, at: number): number {
  return bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 |
    bytes[at + 3];
}

function violation(what: string): WebSocketError {
  return new WebSocketError(PROTOCOL_ERROR, `Cannot read frame: ${what}`);
}

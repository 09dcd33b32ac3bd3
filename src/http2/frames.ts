/**
 * The numbers of HTTP/2 (RFC 9113, sections 4.1, 6 and 7): frame types, flags
 * and error codes, and the one error class by which a broken rule leaves.
 *
 *     length(24) type(8) flags(8) reserved(1) stream(31) payload(length)
 *
 * @module
 */

/** The bytes of a frame's head. */
export const FRAME_HEAD_BYTES = 9;
/**
 * The largest payload that is accepted, and sent: SETTINGS_MAX_FRAME_SIZE as it
 * is unless changed (RFC 9113, section 6.5.2), and the least it can be.
 */
export const MAX_FRAME_BYTES = 16_384;
/** The largest stream identifier, window and increment: 2³¹ − 1. */
export const MAX_31_BITS = 0x7fff_ffff;

/** The frame types (RFC 9113, section 6; RFC 9218, section 7.1). */
export const FRAME_TYPES = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  PRIORITY_UPDATE: 16,
} as const;

/** The flags; what one means depends on the type of its frame. */
export const FLAGS = {
  END_STREAM: 0x01,
  ACK: 0x01,
  END_HEADERS: 0x04,
  PADDED: 0x08,
  PRIORITY: 0x20,
} as const;

/** The error codes (RFC 9113, section 7). */
export const ERROR_CODES = {
  NO_ERROR: 0x00,
  PROTOCOL_ERROR: 0x01,
  INTERNAL_ERROR: 0x02,
  FLOW_CONTROL_ERROR: 0x03,
  SETTINGS_TIMEOUT: 0x04,
  STREAM_CLOSED: 0x05,
  FRAME_SIZE_ERROR: 0x06,
  REFUSED_STREAM: 0x07,
  CANCEL: 0x08,
  COMPRESSION_ERROR: 0x09,
  CONNECT_ERROR: 0x0a,
  ENHANCE_YOUR_CALM: 0x0b,
  INADEQUATE_SECURITY: 0x0c,
  HTTP_1_1_REQUIRED: 0x0d,
} as const;

/** The name of an error code that this package uses. */
export type ErrorName = keyof typeof ERROR_CODES;

const ERROR_NAMES = new Map<number, string>(
  Object.entries(ERROR_CODES).map(([name, code]) => [code, name]),
);
const TYPE_NAMES = new Map<number, string>(
  Object.entries(FRAME_TYPES).map(([name, type]) => [type, name]),
);

/** The name of an error code, for messages; an unknown one is a number. */
export function errorName(code: number): string {
  return ERROR_NAMES.get(code) ?? `error 0x${code.toString(16)}`;
}

/** The name of a frame type, for messages; an unknown one is a number. */
export function frameName(type: number): string {
  return TYPE_NAMES.get(type) ?? `frame of type 0x${type.toString(16)}`;
}

/**
 * Thrown when the client breaks a rule. A connection error ends the connection
 * with GOAWAY (RFC 9113, section 5.4.1), a stream error ends one stream with
 * RST_STREAM (section 5.4.2); both carry the code.
 */
export class Http2Error extends Error {
  /** The name of the class. */
  override readonly name = "Http2Error";
  /** What is sent in GOAWAY or RST_STREAM. */
  readonly code: number;
  /** The stream that ends; `undefined` for a connection error. */
  readonly streamId: number | undefined;

  /** Creates a connection error, or with `streamId` a stream error. */
  constructor(code: ErrorName, message: string, streamId?: number) {
    super(`${message} (${code})`);
    this.code = ERROR_CODES[code];
    this.streamId = streamId;
  }
}

/** The error that ends the connection with `code`. */
export function connectionError(code: ErrorName, message: string): Http2Error {
  return new Http2Error(code, message);
}

/** The error that ends one stream with `code`. */
export function streamError(
  streamId: number,
  code: ErrorName,
  message: string,
): Http2Error {
  return new Http2Error(code, message, streamId);
}

/**
 * A frame as it was read. One object serves all frames of a connection: it holds
 * until the next frame is read, and so do the bytes that it points to.
 */
export interface Frame {
  /** One of {@linkcode FRAME_TYPES}, or any other number up to 255. */
  readonly type: number;
  /** The flags as they came; undefined ones may be set. */
  readonly flags: number;
  /** The stream, without the reserved bit; 0 is the connection. */
  readonly streamId: number;
  /** The bytes of the whole payload: what a DATA frame takes of the windows. */
  readonly length: number;
  /** Where the content lies: the payload without padding and priority fields. */
  readonly bytes: Uint8Array;
  /** Where the content begins in `bytes`. */
  readonly start: number;
  /** Where it ends; a type that is not known has no content, it was dropped. */
  readonly end: number;
  /** Whether the priority fields of HEADERS make the stream depend on itself. */
  readonly selfDependent: boolean;
}

/** Reads 32 bits. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 |
    bytes[at + 3]) >>> 0;
}

/** Reads 31 bits, and drops the reserved one in front of them. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) & MAX_31_BITS;
}

/** Writes 32 bits. */
export function writeUint32(
  bytes: Uint8Array,
  at: number,
  value: number,
): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

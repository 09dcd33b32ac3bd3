// The client's side of the wire, as a test needs it: frames written by hand,
// legal or not, and the server's frames taken apart. It shares no code with
// what is tested.

/** What a frame of a client is like, where it is not the usual one. */
export interface FrameOptions {
  readonly fin?: boolean;
  /** RSV1 to RSV3 as a number of three bits; 4 says compressed. */
  readonly rsv?: number;
  /** `null` for a frame that is not masked. */
  readonly key?: readonly number[] | null;
  /** How many bytes the length is written in, besides the first: 0, 2 or 8. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** A length that is not the payload's. */
  readonly length?: bigint;
}

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const KEY = [0x37, 0xfa, 0x21, 0x3d];

/** A frame as a client sends it. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string = "",
  options: FrameOptions = {},
): Uint8Array {
  const { fin = true, rsv = 0, key = KEY } = options;
  const content = typeof payload === "string" ? utf8(payload) : payload;
  const length = options.length ?? BigInt(content.length);
  const lengthBytes = options.lengthBytes ??
    (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const short = lengthBytes === 0
    ? Number(length)
    : lengthBytes === 2
    ? 126
    : 127;
  const header = [
    (fin ? 0x80 : 0) | rsv << 4 | opcode,
    (key === null ? 0 : 0x80) | short,
    ...bigEndian(length, lengthBytes),
    ...key ?? [],
  ];
  const masked = key === null
    ? content
    : content.map((byte, at) => byte ^ key[at % 4]);
  return concat([new Uint8Array(header), masked]);
}

/** A Close frame of a client. */
export function closeFrame(code?: number, reason = ""): Uint8Array {
  if (code === undefined) return clientFrame(CLOSE);
  return clientFrame(
    CLOSE,
    concat([new Uint8Array([code >> 8, code & 255]), utf8(reason)]),
  );
}

/** A frame of the server, taken apart. */
export interface ServerFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv: number;
  readonly payload: Uint8Array;
}

/** The frames that a server has sent; the last one must be whole. */
export function serverFrames(bytes: Uint8Array): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    if ((bytes[at + 1] & 0x80) !== 0) {
      throw new Error("A server's frame is masked");
    }
    const [length, start] = serverLength(bytes, at);
    if (start + length > bytes.length) throw new Error("A frame is cut short");
    frames.push({
      opcode: bytes[at] & 15,
      fin: bytes[at] >= 0x80,
      rsv: bytes[at] >> 4 & 7,
      payload: bytes.slice(start, start + length),
    });
    at = start + length;
  }
  return frames;
}

/**
 * Frames with the fragments of each message joined, as the client's application
 * gets them: a control frame comes when it does, a message when it is complete.
 */
export function joinFragments(frames: readonly ServerFrame[]): ServerFrame[] {
  const joined: ServerFrame[] = [];
  let begun: ServerFrame | undefined;
  for (const frame of frames) {
    if (frame.opcode >= CLOSE) {
      joined.push(frame);
      continue;
    }
    if ((frame.opcode === CONTINUATION) !== (begun !== undefined)) {
      throw new Error("A message is cut short, or a fragment has no beginning");
    }
    const payload = concat([begun?.payload ?? new Uint8Array(), frame.payload]);
    const whole = { ...begun ?? frame, fin: frame.fin, payload };
    begun = frame.fin ? undefined : whole;
    if (frame.fin) joined.push(whole);
  }
  return joined;
}

/** For assertions: "text Hi", "pong", "close 1000 Bye". */
export function describe({ opcode, fin, rsv, payload }: ServerFrame): string {
  const name = NAMES[opcode] ?? `opcode ${opcode}`;
  const flags = (fin ? "" : " unfinished") + (rsv === 0 ? "" : ` rsv ${rsv}`);
  if (opcode === CLOSE && payload.length >= 2) {
    const code = payload[0] << 8 | payload[1];
    return `${name} ${code} ${decode(payload.subarray(2))}`.trim() + flags;
  }
  return `${name} ${decode(payload)}`.trim() + flags;
}

const NAMES: Record<number, string> = {
  0: "continuation",
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

/** The bytes of a text in UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** All of the bytes, one after the other. */
export function concat(
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes from hexadecimal, in which spaces are free. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(
    text.replaceAll(" ", "").match(/../g)?.map((pair) => parseInt(pair, 16)) ??
      [],
  );
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bigEndian(value: bigint, size: number): number[] {
  return Array.from(
    { length: size },
    (_, at) => Number(value >> BigInt(8 * (size - 1 - at)) & 255n),
  );
}

function serverLength(bytes: Uint8Array, at: number): [number, number] {
  const short = bytes[at + 1];
  if (short < 126) return [short, at + 2];
  const size = short === 126 ? 2 : 8;
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + bytes[at + 2 + i];
  return [length, at + 2 + size];
}

/**
 * The PROXY protocol, versions 1 and 2: a proxy that forwards a
 * connection begins it with a header that names its client. Parsing does no I/O: it
 * takes the bytes that have arrived, and says if it needs more.
 *
 * A peer that sends the header can claim any address, so it is read from trusted
 * peers only, and those must send it: it is never detected. Whatever
 * else a header of version 2 has is skipped, its checksum too.
 *
 * @module
 */

import { formatIpv4, formatIpv6, parseAddress } from "./addresses.ts";
import type { SocketConn } from "./connection.ts";

/** The longest header of version 1, CRLF included. */
const MAX_V1_BYTES = 107;
const V1_START = [..."PROXY "].map((letter) => letter.charCodeAt(0));
const V1_LINE =
  /^PROXY (TCP4|TCP6) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
const CR = 0x0d;
const LF = 0x0a;

/** The first bytes of a header of version 2, and the length of its fixed part. */
const V2_START = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const V2_HEAD_BYTES = 16;
/** The most that may follow the fixed part; certificates of clients are long. */
const MAX_V2_REST_BYTES = 4096;
/** The address families of version 2, and the length of their addresses. */
const V2_ADDRESS_BYTES = [0, 12, 36, 216];
const [UNSPECIFIED, IPV4, IPV6] = [0, 1, 2];
const UNIX_PATH_BYTES = 108;

const FIRST_READ_BYTES = 512;

/** One end of the connection that a proxy has forwarded. */
export type ProxiedAddress =
  | {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
  }
  | { readonly transport: "unix"; readonly path: string };

/** The ends of the connection that a proxy has forwarded. */
export interface ProxiedAddresses {
  /** The client's end. */
  readonly source: ProxiedAddress;
  /** The end that the client connected to. */
  readonly destination: ProxiedAddress;
}

/** A header of the PROXY protocol. */
export interface ProxyHeader {
  /** Its length in bytes. */
  readonly length: number;
  /**
   * The ends of the forwarded connection; `null` if the proxy does not know them,
   * or connects for itself, as in a health check.
   */
  readonly addresses: ProxiedAddresses | null;
}

/** Thrown for bytes that are no header of the PROXY protocol. */
export class ProxyHeaderError extends Error {
  /** The name of this class. */
  override readonly name = "ProxyHeaderError";

  /** Created with what is wrong. */
  constructor(reason: string) {
    super(`Cannot read PROXY protocol header: ${reason}`);
  }
}

/**
 * Reads the header at the start of `bytes`.
 *
 * @returns Nothing if more bytes are needed.
 * @throws {ProxyHeaderError} If the bytes begin no header.
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (startsLike(bytes, V1_START)) {
    return bytes.length < V1_START.length ? undefined : parseV1(bytes);
  }
  if (startsLike(bytes, V2_START)) {
    return bytes.length < V2_HEAD_BYTES ? undefined : parseV2(bytes);
  }
  throw new ProxyHeaderError("there is none");
}

/** Whether `bytes` begin with `start`, as far as they go. */
function startsLike(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => i >= bytes.length || bytes[i] === byte);
}

function parseV1(bytes: Uint8Array): ProxyHeader | undefined {
  const line = bytes.subarray(0, MAX_V1_BYTES);
  const end = line.findIndex((byte, i) => byte === CR && line[i + 1] === LF);
  if (end < 0) {
    if (bytes.length < MAX_V1_BYTES) return undefined;
    throw new ProxyHeaderError("its line has no end");
  }
  const text = String.fromCharCode(...line.subarray(0, end));
  return { length: end + 2, addresses: parseV1Line(text) };
}

function parseV1Line(text: string): ProxiedAddresses | null {
  if (/^PROXY UNKNOWN( |$)/.test(text)) return null;
  const [, family, source, destination, sourcePort, destinationPort] =
    V1_LINE.exec(text) ?? [];
  const ends = [[source, sourcePort], [destination, destinationPort]]
    .map(([hostname, port]) => ({
      transport: "tcp" as const,
      hostname,
      port: Number(port),
    }));
  const valid = family !== undefined &&
    ends.every(({ hostname, port }) =>
      parseAddress(hostname) !== null && port <= 65_535 &&
      hostname.includes(":") === (family === "TCP6")
    );
  if (!valid) throw new ProxyHeaderError("its line is malformed");
  return { source: ends[0], destination: ends[1] };
}

function parseV2(bytes: Uint8Array): ProxyHeader | undefined {
  const [version, command] = nibbles(bytes[12]);
  const [family, protocol] = nibbles(bytes[13]);
  const restLength = bytes[14] << 8 | bytes[15];
  if (version !== 2 || command > 1) {
    throw new ProxyHeaderError("its version or command is unknown");
  }
  if (restLength > MAX_V2_REST_BYTES) {
    throw new ProxyHeaderError(`it is longer than ${MAX_V2_REST_BYTES} bytes`);
  }
  const length = V2_HEAD_BYTES + restLength;
  const isLocal = command === 0;
  if (!isLocal) checkV2Addresses(family, protocol, restLength);
  if (bytes.length < length) return undefined;
  if (isLocal || family === UNSPECIFIED || protocol === UNSPECIFIED) {
    return { length, addresses: null };
  }
  const addresses = readV2Addresses(family, bytes.slice(V2_HEAD_BYTES, length));
  return { length, addresses };
}

function nibbles(byte: number): [high: number, low: number] {
  return [byte >> 4, byte & 0xf];
}

function checkV2Addresses(
  family: number,
  protocol: number,
  length: number,
): void {
  const needed = V2_ADDRESS_BYTES[family];
  if (needed === undefined || protocol > 2) {
    throw new ProxyHeaderError("its address family or protocol is unknown");
  }
  if (length < needed) {
    throw new ProxyHeaderError("its addresses are cut short");
  }
}

function readV2Addresses(family: number, bytes: Uint8Array): ProxiedAddresses {
  if (family === IPV4) return readIpAddresses(bytes, 4, formatIpv4);
  if (family === IPV6) return readIpAddresses(bytes, 16, formatIpv6);
  return {
    source: readUnixAddress(bytes.subarray(0, UNIX_PATH_BYTES)),
    destination: readUnixAddress(bytes.subarray(UNIX_PATH_BYTES)),
  };
}

function readIpAddresses(
  bytes: Uint8Array,
  size: number,
  format: (address: Uint8Array) => string,
): ProxiedAddresses {
  const end = (index: number): ProxiedAddress => {
    const port = 2 * size + 2 * index;
    return {
      transport: "tcp",
      hostname: format(bytes.subarray(index * size, (index + 1) * size)),
      port: bytes[port] << 8 | bytes[port + 1],
    };
  };
  return { source: end(0), destination: end(1) };
}

/** A path ends at a NUL, unless it is as long as it can be. */
function readUnixAddress(bytes: Uint8Array): ProxiedAddress {
  const room = bytes.subarray(0, UNIX_PATH_BYTES);
  const end = room.indexOf(0);
  const path = new TextDecoder().decode(end < 0 ? room : room.subarray(0, end));
  return { transport: "unix", path };
}

/**
 * Reads the header of a connection.
 *
 * @returns The connection after the header, with the addresses from it.
 * @throws {ProxyHeaderError} If the connection does not begin with one.
 * @throws {Deno.errors.UnexpectedEof} If it ends before the header is complete.
 */
export async function readProxyHeader(conn: Deno.Conn): Promise<SocketConn> {
  let buffer = new Uint8Array(FIRST_READ_BYTES);
  for (let length = 0;;) {
    if (length === buffer.length) buffer = enlarged(buffer);
    const count = await conn.read(buffer.subarray(length));
    if (count === null) {
      throw new Deno.errors.UnexpectedEof(
        "The PROXY protocol header is missing",
      );
    }
    length += count;
    const header = parseProxyHeader(buffer.subarray(0, length));
    if (header === undefined) continue;
    const rest = buffer.subarray(header.length, length);
    return new ProxiedConn(conn, header.addresses, rest);
  }
}

function enlarged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * bytes.length);
  larger.set(bytes);
  return larger;
}

/** A connection after its header; first it gives what was read with the header. */
class ProxiedConn implements SocketConn {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  readonly #conn: Deno.Conn;
  #rest: Uint8Array | undefined;

  constructor(
    conn: Deno.Conn,
    addresses: ProxiedAddresses | null,
    rest: Uint8Array,
  ) {
    this.#conn = conn;
    this.#rest = rest;
    this.remoteAddr = addresses?.source ?? conn.remoteAddr;
    this.localAddr = addresses?.destination ?? conn.localAddr;
  }

  read(into: Uint8Array): Promise<number | null> {
    const rest = this.#rest;
    if (rest === undefined || rest.length === 0) {
      this.#rest = undefined;
      return this.#conn.read(into);
    }
    const part = rest.subarray(0, into.length);
    into.set(part);
    this.#rest = rest.subarray(part.length);
    return Promise.resolve(part.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  setNoDelay(noDelay?: boolean): void {
    const conn = this.#conn as Partial<Deno.TcpConn>;
    conn.setNoDelay?.(noDelay);
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

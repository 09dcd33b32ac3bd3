/**
 * IP addresses and ranges of them, and which peers are trusted.
 *
 * An IPv4 address that is mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4
 * address: a socket that listens on both sees one peer in either form.
 *
 * @module
 */

/** An address as its bytes: 4 for IPv4, 16 for IPv6. */
export type Address = readonly number[];

interface Range {
  readonly address: Address;
  readonly bits: number;
}

const UNIX = "unix";
const BYTE = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,2})$/;

/** Parses an address, without brackets or port; `undefined` if it is none. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Writes an address in its canonical form. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => {
    return (address[2 * i] << 8 | address[2 * i + 1]).toString(16);
  });
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** The peers that may speak for others. */
export class TrustedPeers {
  readonly #ranges: readonly Range[];
  readonly #unix: boolean;

  /**
   * Takes addresses, ranges such as "10.0.0.0/8" and "2001:db8::/32", and
   * "unix" for whoever connects to a unix socket.
   *
   * @throws {TypeError} If an entry is none of these.
   */
  constructor(trust: Iterable<string>) {
    const entries = [...trust];
    this.#unix = entries.includes(UNIX);
    this.#ranges = entries.filter((entry) => entry !== UNIX).map(parseRange);
  }

  /** Whether nobody is trusted. */
  get isEmpty(): boolean {
    return !this.#unix && this.#ranges.length === 0;
  }

  /** Whether who connects to a unix socket is trusted. */
  get hasUnix(): boolean {
    return this.#unix;
  }

  /** Whether an address is trusted; what is no address is not. */
  has(host: string): boolean {
    // A link-local peer's address may name its interface, which is ours.
    const address = parseAddress(host.split("%", 1)[0]);
    return address !== undefined &&
      this.#ranges.some((range) => isWithin(address, range));
  }
}

/** Whether `value` is a list of what {@linkcode TrustedPeers} takes. */
export function isTrustList(value: unknown): value is string[] {
  if (!Array.isArray(value)) return false;
  try {
    new TrustedPeers(value);
    return true;
  } catch {
    return false;
  }
}

function parseRange(entry: string): Range {
  const [text, length, ...rest] = String(entry).split("/");
  const address = parseAddress(text);
  if (address === undefined || rest.length > 0) {
    throw refusal(entry, `it is no address, no range and not "${UNIX}"`);
  }
  const size = address.length * 8;
  if (length === undefined) return { address, bits: size };
  // Of a mapped address, 96 bits say that it is one.
  const mapped = address.length === 4 && text.includes(":");
  const bits = LENGTH.test(length) ? Number(length) - (mapped ? 96 : 0) : NaN;
  if (!(bits >= 0 && bits <= size)) {
    throw refusal(entry, `"${length}" is no length of its prefix`);
  }
  const first = address.map((byte, i) => byte & maskAt(i, bits));
  if (first.some((byte, i) => byte !== address[i])) {
    const start = formatAddress(first);
    throw refusal(entry, `the range of this length begins with ${start}`);
  }
  return { address, bits };
}

function refusal(entry: unknown, reason: string): TypeError {
  return new TypeError(`Cannot trust "${String(entry)}": ${reason}`);
}

function isWithin(address: Address, range: Range): boolean {
  return address.length === range.address.length &&
    range.address.every((byte, i) =>
      byte === (address[i] & maskAt(i, range.bits))
    );
}

/** Which bits of the byte at `index` are among the first `bits`. */
function maskAt(index: number, bits: number): number {
  const left = Math.min(Math.max(bits - index * 8, 0), 8);
  return 0xff00 >> left & 0xff;
}

function parseIpv4(text: string): number[] | undefined {
  const bytes = text.split(".").map((part) =>
    BYTE.test(part) ? Number(part) : NaN
  );
  return bytes.length === 4 && bytes.every((byte) => byte <= 255)
    ? bytes
    : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const [head, tail, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const first = parseGroups(head, tail === undefined);
  const last = parseGroups(tail ?? "", true);
  if (first === undefined || last === undefined) return undefined;
  const missing = 16 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return unmapped([...first, ...Array(missing).fill(0), ...last]);
}

/** The bytes of groups; the last may be an IPv4 address where it ends all. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const tail = atEnd ? parseIpv4(groups.at(-1)!) : undefined;
  if (tail !== undefined) groups.pop();
  if (!groups.every((group) => GROUP.test(group))) return undefined;
  const bytes = groups.map((group) => parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
  return [...bytes, ...tail ?? []];
}

function unmapped(bytes: number[]): number[] {
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

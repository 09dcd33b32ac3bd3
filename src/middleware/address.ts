/**
 * IP addresses and ranges of them, and which peers are trusted.
 *
 * An IPv4 address that is mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4
 * address: a socket that listens on both sees one peer in either form.
 *
 * @module
 */

import {
  formatIpv4,
  formatIpv6,
  isMapped,
  maskOf,
  parseAddress as parseMapped,
  UNIX,
} from "../net/addresses.ts";

/** An address as its bytes: 4 for IPv4, 16 for IPv6. */
export type Address = readonly number[];

interface Range {
  readonly address: Address;
  readonly bits: number;
}

const LENGTH = /^(?:0|[1-9][0-9]{0,2})$/;

/** Parses an address, without brackets or port; `undefined` if it is none. */
export function parseAddress(text: string): Address | undefined {
  const bytes = parseMapped(text);
  if (bytes === null) return undefined;
  return [...isMapped(bytes) ? bytes.subarray(12) : bytes];
}

/** Writes an address in its canonical form. */
export function formatAddress(address: Address): string {
  const bytes = Uint8Array.from(address);
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
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
  const first = address.map((byte, i) => byte & maskOf(bits, i));
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
      byte === (address[i] & maskOf(range.bits, i))
    );
}

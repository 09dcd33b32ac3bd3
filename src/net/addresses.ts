/**
 * Addresses of peers, and sets of them: single addresses of IPv4 and IPv6,
 * ranges in CIDR notation, and "unix" for the peers on a unix socket.
 *
 * An address is 16 bytes. An IPv4 address is held as the IPv6 address that it
 * is mapped to (`::ffff:192.0.2.1`), because a listener on "::" reports it so;
 * both forms are the same IPv4 address, which no range of IPv6 contains. An
 * IPv4 address is accepted in one notation only: notations that programs read
 * differently (`010.0.0.1`, `127.1`) let forged addresses pass elsewhere.
 *
 * @module
 */

/** Stands for the peers on a unix socket, which have no address. */
const UNIX = "unix";

const IPV4_PREFIX_BITS = 96;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** A range of addresses: those that agree in the first `bits` bits. */
interface AddressRange {
  readonly address: Uint8Array;
  readonly bits: number;
}

/** A set of addresses, ranges and "unix". */
export class AddressSet {
  readonly #hosts = new Set<string>();
  readonly #ranges: AddressRange[] = [];
  #unix = false;

  private constructor() {}

  /**
   * Reads entries such as "127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8" and
   * "unix".
   *
   * @throws {TypeError} If an entry is none of these.
   * @throws {RangeError} If a range is longer than its address, or does not
   * begin with the address.
   */
  static parse(entries: Iterable<string>): AddressSet {
    const set = new AddressSet();
    for (const entry of entries) set.#add(entry);
    return set;
  }

  /** Whether it has no entries. */
  get isEmpty(): boolean {
    return !this.#unix && this.#ranges.length === 0 && this.#hosts.size === 0;
  }

  /**
   * Whether an address is in the set; `null` is a peer on a unix socket. The
   * zone of a link-local address (`fe80::1%eth0`) does not count: it names an
   * interface of this machine. Text that is no address is in no set.
   */
  has(host: string | null): boolean {
    if (host === null) return this.#unix;
    if (this.#hosts.has(host)) return true;
    const address = parseAddress(host.split("%", 1)[0]);
    if (address === null) return false;
    return this.#ranges.some((range) => isInRange(address, range));
  }

  #add(entry: string): void {
    if (entry === UNIX) {
      this.#unix = true;
      return;
    }
    const range = parseRange(entry);
    this.#ranges.push(range);
    // The fast path for an address in this notation.
    if (!entry.includes("/")) this.#hosts.add(entry);
  }
}

/** Whether a value is a list that {@linkcode AddressSet.parse} accepts. */
export function isAddressList(value: unknown): value is string[] {
  if (!Array.isArray(value)) return false;
  try {
    AddressSet.parse(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads an address of IPv4 or IPv6, without brackets, port or zone.
 *
 * @returns 16 bytes, IPv4 mapped into IPv6; `null` if it is no address.
 */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpv6(text) : parseMappedIpv4(text);
}

/** Writes an address as {@linkcode parseAddress} returns it; mapped is IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  return isMapped(bytes) ? formatIpv4(bytes.subarray(12)) : formatIpv6(bytes);
}

/** Writes 4 bytes as an address of IPv4. */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

/**
 * Writes 16 bytes as an address of IPv6, in the form of RFC 5952: lower case,
 * the longest run of zeros left out.
 */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => bytes[2 * index] << 8 | bytes[2 * index + 1],
  );
  if (isMapped(bytes)) return `::ffff:${formatIpv4(bytes.subarray(12))}`;
  const { start, length } = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(":");
  const head = text.slice(0, start).join(":");
  const tail = text.slice(start + length).join(":");
  return `${head}::${tail}`;
}

function parseRange(entry: string): AddressRange {
  const slash = entry.indexOf("/");
  const host = slash < 0 ? entry : entry.slice(0, slash);
  const address = parseAddress(host);
  const length = slash < 0 ? null : entry.slice(slash + 1);
  if (address === null || length !== null && !/^(0|[1-9]\d*)$/.test(length)) {
    throw new TypeError(
      `Cannot read address "${entry}": expected an IP address, a range such as "10.0.0.0/8", or "unix"`,
    );
  }
  return checkRange(entry, {
    address,
    bits: length === null
      ? 128
      : Number(length) + (host.includes(":") ? 0 : IPV4_PREFIX_BITS),
  });
}

function checkRange(entry: string, range: AddressRange): AddressRange {
  if (range.bits > 128) {
    throw new RangeError(
      `Cannot read address "${entry}": the range is longer than the address`,
    );
  }
  const { address, bits } = range;
  if (address.some((byte, index) => (byte & ~maskOf(bits, index)) !== 0)) {
    const first = formatAddress(
      address.map((byte, index) => byte & maskOf(bits, index)),
    );
    throw new RangeError(
      `Cannot read address "${entry}": the range of this length begins with ${first}`,
    );
  }
  return range;
}

function isInRange(
  candidate: Uint8Array,
  { address, bits }: AddressRange,
): boolean {
  // A range of IPv6 ends before the bits that say that an address is mapped.
  return (bits >= IPV4_PREFIX_BITS || !isMapped(candidate)) &&
    address.every((byte, index) =>
      byte === (candidate[index] & maskOf(bits, index))
    );
}

/** Which bits of a byte are within the first `bits` bits of an address. */
function maskOf(bits: number, index: number): number {
  const ones = Math.min(8, Math.max(0, bits - 8 * index));
  return 0xff << (8 - ones) & 0xff;
}

function parseMappedIpv4(text: string): Uint8Array | null {
  const bytes = parseIpv4(text);
  return bytes === null ? null : Uint8Array.of(...MAPPED_PREFIX, ...bytes);
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  const valid = parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part <= 255);
  return valid ? parts.map(Number) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) =>
    parseGroups(half, index === halves.length - 1)
  );
  if (head === null || tail === null) return null;
  const known = head.length + (tail?.length ?? 0);
  if (tail === undefined) return known === 16 ? Uint8Array.from(head) : null;
  // "::" stands for one group at least.
  if (known > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Reads groups of hexadecimal digits; the last may be an IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const ipv4 = mayEndInIpv4 && index === groups.length - 1
      ? parseIpv4(group)
      : null;
    if (ipv4 === null) return null;
    bytes.push(...ipv4);
  }
  return bytes;
}

/** Whether 16 bytes are an address of IPv4, mapped into IPv6. */
function isMapped(bytes: Uint8Array): boolean {
  return MAPPED_PREFIX.every((byte, index) => bytes[index] === byte);
}

function longestZeroRun(
  groups: readonly number[],
): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

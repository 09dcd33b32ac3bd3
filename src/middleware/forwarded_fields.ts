/**
 * What proxies say of where a request came from, in `X-Forwarded-*` or in
 * Forwarded (RFC 7239). Lists are read from the right, because each proxy
 * appends to them: the peer of the connection has added the last member. If the
 * peer is trusted, that member is the address of the hop before it; if this one
 * is trusted as well, the next member counts, and so on up to the first address
 * that is not trusted: that is the client.
 *
 * Fields that the proxies do not set themselves are the client's own, so only
 * those are read that were asked for. What a client has made up may be long, so
 * reading stops where the client is found, and after {@linkcode MAX_HOPS} hops.
 *
 * @module
 */

import { decodePath } from "../asgi/http_scope.ts";
import type { HostPort } from "../asgi/types.ts";
import { type Field, trimWhitespace } from "../http/fields.ts";
import { AddressSet, formatAddress, parseAddress } from "../net/addresses.ts";
import { type Host, parseHost } from "./_host.ts";
import { isPrefix } from "./_prefix.ts";
import { type ForwardedElement, parseForwarded } from "./forwarded_header.ts";

/** The most hops that are followed; with more of them, the client is unknown. */
const MAX_HOPS = 32;
/** What is longer is no node, and no prefix. */
const MAX_NODE_LENGTH = 256;
const MAX_PREFIX_LENGTH = 1024;

const FORWARDED = "forwarded";
const X_FORWARDED: readonly ForwardedField[] = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
];
/** Those that Forwarded takes the place of. */
const REPLACED: readonly string[] = X_FORWARDED.slice(0, 3);

/** A field in which proxies say where a request came from. */
export type ForwardedField =
  | "forwarded"
  | "x-forwarded-for"
  | "x-forwarded-proto"
  | "x-forwarded-host"
  | "x-forwarded-port"
  | "x-forwarded-prefix";

/** Which proxies are believed, and what. */
export interface ForwardedOptions {
  /**
   * The proxies: addresses, ranges such as "10.0.0.0/8" and "2001:db8::/32",
   * and "unix" for the peers on a unix socket.
   */
  trust: readonly string[];
  /**
   * The fields that these proxies set, or remove where a client has sent them.
   * Default: "x-forwarded-for" and "x-forwarded-proto".
   */
  fields?: readonly ForwardedField[];
}

/** The two ends of a connection. */
export interface Peer {
  /** The peer's address; `null` if it has none. */
  readonly client: Readonly<HostPort> | null;
  /** The server's address; a unix socket's path has no port. */
  readonly server: readonly [string, number | null] | null;
}

/** What trusted proxies said; what they did not say is `undefined`. */
export interface Origin {
  /** The client; its port is 0 if it is not known. */
  readonly client: HostPort | undefined;
  /** Whether the client used TLS. */
  readonly secure: boolean | undefined;
  /** The host that the client asked for. */
  readonly host: Host | undefined;
  /** The port that the client connected to. */
  readonly port: number | undefined;
  /** The prefix that was taken off the path, percent-decoded. */
  readonly prefix: string | undefined;
}

/** Lists of what was said, the nearest proxy's word first. */
interface Hops {
  /** Who sent it; none is read before it is asked for. */
  readonly nodes: Iterable<string | undefined>;
  /** What was said of the hop at a distance up to which nodes were read. */
  at(field: ForwardedField, distance: number): string | undefined;
}

/** Reads what trusted proxies say. */
export class ForwardedReader {
  readonly #trust: AddressSet;
  readonly #fields: ReadonlySet<ForwardedField>;

  /**
   * Reads from `fields` what proxies in `trust` say.
   *
   * @throws {TypeError} If an entry of `trust` or `fields` is wrong.
   * @throws {RangeError} If a range in `trust` has a wrong length.
   */
  constructor(
    { trust, fields = X_FORWARDED.slice(0, 2) }: ForwardedOptions,
  ) {
    this.#trust = AddressSet.parse(trust);
    this.#fields = checkFields(fields);
  }

  /** Whether nobody is trusted. */
  get trustsNobody(): boolean {
    return this.#trust.isEmpty;
  }

  /** What is said of a request; `undefined` if its peer is not trusted. */
  read(peer: Peer, headers: readonly Field[]): Origin | undefined {
    if (this.trustsNobody || !this.#trusts(peer)) return undefined;
    const hops = this.#hops(headers);
    const { client, distance } = this.#walk(hops.nodes);
    return {
      client,
      secure: isSecure(hops.at("x-forwarded-proto", distance)),
      host: parseHost(hops.at("x-forwarded-host", distance) ?? ""),
      port: parsePort(hops.at("x-forwarded-port", distance)),
      prefix: parsePrefix(hops.at("x-forwarded-prefix", distance)),
    };
  }

  #trusts({ client, server }: Peer): boolean {
    if (client !== null) return this.#trust.has(client[0]);
    const isUnix = server !== null && server[1] === null;
    return isUnix && this.#trust.has(null);
  }

  /** Goes from the nearest hop to the first that is not trusted. */
  #walk(
    nodes: Hops["nodes"],
  ): { client: HostPort | undefined; distance: number } {
    let client: HostPort | undefined;
    let hops = 0;
    for (const node of nodes) {
      if (hops === MAX_HOPS) {
        return { client: [UNKNOWN, 0], distance: hops - 1 };
      }
      hops++;
      if (node === undefined) break;
      client = parseNode(node);
      if (!this.#trust.has(client[0])) break;
    }
    return { client, distance: Math.max(hops - 1, 0) };
  }

  #hops(headers: readonly Field[]): Hops {
    const xForwarded = this.#xForwarded(headers);
    if (!this.#fields.has(FORWARDED)) return xForwarded;
    const elements: ForwardedElement[] = [];
    function* nodes(): Generator<string | undefined> {
      for (const element of parseForwarded(linesOf(headers, FORWARDED))) {
        elements.push(element);
        yield element.get("for");
      }
    }
    return {
      nodes: nodes(),
      at: (field, distance) =>
        REPLACED.includes(field)
          ? elements[distance]?.get(field.slice("x-forwarded-".length))
          : xForwarded.at(field, distance),
    };
  }

  #xForwarded(headers: readonly Field[]): Hops {
    const membersOf = (field: ForwardedField): Iterable<string> =>
      this.#fields.has(field) ? membersFromRight(headers, field) : [];
    return {
      nodes: membersOf("x-forwarded-for"),
      at: (field, distance) => memberAt(membersOf(field), distance),
    };
  }
}

function checkFields(
  fields: readonly ForwardedField[],
): ReadonlySet<ForwardedField> {
  const known: readonly string[] = [FORWARDED, ...X_FORWARDED];
  const checked = new Set(fields);
  for (const field of checked) {
    if (!known.includes(field)) {
      throw new TypeError(
        `Cannot read field "${field}": it must be one of ${known.join(", ")}`,
      );
    }
    if (checked.has(FORWARDED) && REPLACED.includes(field)) {
      throw new TypeError(
        `Cannot read field "${field}" together with "${FORWARDED}": a client could send the one that the proxy does not set`,
      );
    }
  }
  return checked;
}

function linesOf(headers: readonly Field[], field: string): string[] {
  return headers.filter(([name]) => name === field).map(([, value]) => value);
}

/** The members of a list, the last one first, without those that are empty. */
function* membersFromRight(
  headers: readonly Field[],
  field: string,
): Generator<string, void> {
  for (const line of linesOf(headers, field).reverse()) {
    for (let end = line.length; end >= 0;) {
      const comma = end === 0 ? -1 : line.lastIndexOf(",", end - 1);
      const member = trimWhitespace(line.slice(comma + 1, end));
      if (member !== "") yield member;
      end = comma;
    }
  }
}

/** The member at a distance: a proxy that overwrites a field leaves fewer. */
function memberAt(
  members: Iterable<string>,
  distance: number,
): string | undefined {
  let last: string | undefined;
  for (const member of members) {
    last = member;
    if (distance-- === 0) break;
  }
  return last;
}

const NODE = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}|_[\w.-]+))?$/;
const OBFUSCATED = /^_[\w.-]+$/;
/** Stands for a hop that was not named, or whose name cannot be parsed. */
const UNKNOWN = "unknown";

/** A hop, with port 0 if none is given; one that cannot be read is "unknown". */
function parseNode(text: string): HostPort {
  if (text.length > MAX_NODE_LENGTH) return [UNKNOWN, 0];
  const bare = parseAddress(text);
  if (bare !== null) return [formatAddress(bare), 0];
  const [, literal, name, portText] = NODE.exec(text) ?? [];
  const port = parsePort(portText) ?? 0;
  const address = parseAddress(literal ?? name ?? "");
  if (address !== null) return [formatAddress(address), port];
  return OBFUSCATED.test(name ?? "") ? [name, port] : [UNKNOWN, 0];
}

function isSecure(scheme: string | undefined): boolean | undefined {
  switch (scheme?.toLowerCase()) {
    case "https":
    case "wss":
      return true;
    case "http":
    case "ws":
      return false;
  }
}

function parsePort(text = ""): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}

function parsePrefix(text = ""): string | undefined {
  if (text.length > MAX_PREFIX_LENGTH) return undefined;
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined;
  const prefix = decodePath(text.replace(/\/$/, ""));
  return isPrefix(prefix) ? prefix : undefined;
}

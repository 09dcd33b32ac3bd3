/**
 * Where a server listens: the shapes of it in the options, their checks, and
 * the one list that they come to. An option is checked whole before anything
 * is bound.
 *
 * @module
 */

import { isFieldValue } from "../http/fields.ts";
import { AddressSet } from "../net/addresses.ts";
import type { ListenerTarget } from "../net/binding.ts";
import type { QuicSettings } from "../net/quic_settings.ts";
import type { TlsSettings } from "../net/tls_settings.ts";
import {
  isBoolean,
  isObject,
  isPort,
  isString,
  mustBe,
  type Rule,
} from "./_rules.ts";

/** A certificate and its key; each is PEM text, or the path of a file of it. */
export interface TlsOptions {
  /** The certificate, followed by those that lead from it to its root. */
  cert: string;
  /** The private key of the certificate. */
  key: string;
  /** What the key is encrypted with. Default: nothing. */
  passphrase?: string;
  /**
   * The protocols to offer (ALPN), the preferred one first, whatever a client
   * prefers; without the option `http2`, "h2" is not offered. Default:
   * `["h2", "http/1.1"]`, all that there are.
   */
  alpn?: readonly string[];
  /**
   * Whether small writes leave at once. If not, a small write waits until the
   * client has acknowledged the one before, 40 ms and more: in streams,
   * server-sent events and WebSockets, and at the end of downloads. If so, TLS
   * takes more of the CPU and twice the memory, and no session is resumed.
   * Default: false.
   */
  noDelay?: boolean;
  /** The oldest version of TLS that is spoken; needs `noDelay`. Default: "TLSv1.2". */
  minVersion?: "TLSv1.2" | "TLSv1.3";
}

/** How HTTP/3 is served beside TLS; experimental, see docs/http3.md. */
export interface Http3ListenOptions {
  /**
   * The value of `alt-svc` in responses over HTTP/1.1 and HTTP/2, by which
   * clients learn of HTTP/3; `false` for none. Default: `h3=":PORT"; ma=86400`
   * with the port that is bound, which is not that of the clients if a container
   * or a firewall changes it.
   */
  altSvc?: string | false;
  /**
   * Requests of a connection that may be under way at once, up to 1000; past it:
   * the client waits. It may leave 1.25 MB unread in each. Default: 64.
   */
  maxConcurrentStreams?: number;
  /**
   * Handshakes under way; past it: new clients get no answer, and try again. One
   * that its client does not go on with ends after 75 s. Default: 256.
   */
  maxPendingHandshakes?: number;
}

/** A TCP address to listen on. */
export interface TcpListenOptions {
  /** The address; "::" is every address of IPv6 and IPv4. Default: "127.0.0.1". */
  hostname?: string;
  /** The port; 0 takes a free one. Default: 8000. */
  port?: number;
  /** Makes it a listener for TLS. Default: none. */
  tls?: TlsOptions;
  /**
   * Whether HTTP/3 is served too, on the UDP port of the same number; needs `tls`
   * and Deno's flag `--unstable-net`, and excludes `proxyProtocol`. Default:
   * false.
   */
  http3?: boolean | Http3ListenOptions;
  /**
   * Proxies that begin each connection with a PROXY protocol header: addresses
   * and ranges; beside `tls` only with its `noDelay`. Default: none.
   */
  proxyProtocol?: readonly string[];
}

/** A unix socket to listen on. */
export interface UnixListenOptions {
  /** The path of the socket's file, which is made, and removed at the end. */
  path: string;
  /** The permissions of the file, such as `0o660`. Default: as the umask says. */
  mode?: number;
  /** `["unix"]` if each connection begins with a PROXY protocol header. Default: none. */
  proxyProtocol?: readonly string[];
}

/** An address to listen on. */
export type ListenOptions = TcpListenOptions | UnixListenOptions;

/** The options that say where to listen. */
export interface ListenChoice {
  /** The port of the simple form. */
  port?: number;
  /** The address of the simple form. */
  hostname?: string;
  /** TLS for the simple form. */
  tls?: TlsOptions;
  /** HTTP/3 for the simple form. */
  http3?: boolean | Http3ListenOptions;
  /** Proxies for the simple form. */
  proxyProtocol?: readonly string[];
  /** The full form. */
  listen?: ListenOptions | readonly ListenOptions[];
  /** Whether HTTP/2 can be offered. Default: true. */
  http2?: boolean;
}

/** The port that is listened on unless another is given. */
export const DEFAULT_PORT = 8000;
/** The address that is listened on unless another is given. */
export const DEFAULT_HOSTNAME = "127.0.0.1";
/** The name of HTTP/2 over TLS. */
export const ALPN_HTTP2 = "h2";
/** The protocols that are offered over TLS: those that the server speaks. */
export const ALPN_PROTOCOLS: readonly string[] = [ALPN_HTTP2, "http/1.1"];

const DEFAULT_HTTP3: QuicSettings = {
  altSvc: undefined,
  maxConcurrentStreams: 64,
  maxPendingHandshakes: 256,
};
/** Each may hold 1.25 MB. */
const MAX_HTTP3_STREAMS = 1000;
const MAX_HANDSHAKES = 65_535;

const MAX_MODE = 0o777;
const OLDEST_TLS = "TLSv1.2";
const TCP_KEYS = ["hostname", "port", "tls", "http3", "proxyProtocol"] as const;
const HTTP3_KEYS = [
  "altSvc",
  "maxConcurrentStreams",
  "maxPendingHandshakes",
] as const;
const TLS_KEYS = [
  "cert",
  "key",
  "passphrase",
  "alpn",
  "noDelay",
  "minVersion",
] as const;
/** What a key of these options takes, and how an error message says it. */
const RULES = {
  path: ["a path", isPath],
  mode: ["a file mode from 0o000 to 0o777", isMode],
  hostname: ["a string", isString],
  port: ["a whole number from 0 to 65535", isPort],
  tls: ["an object with cert and key", isObject],
  cert: ["PEM text, or the path of a file of it", isPath],
  key: ["PEM text, or the path of a file of it", isPath],
  proxyProtocol: ["a list of addresses of proxies", isStrings],
  passphrase: ["a string", isString],
  noDelay: ["a boolean", isBoolean],
  minVersion: ['"TLSv1.2" or "TLSv1.3"', isTlsVersion],
  alpn: [`a list of protocols out of ${quoted(ALPN_PROTOCOLS)}`, isAlpn],
  http3: ["a boolean, or an object", isHttp3],
  altSvc: ["a field value, or false", isAltSvc],
  maxConcurrentStreams: [
    `a whole number from 1 to ${MAX_HTTP3_STREAMS}`,
    (value: unknown) => isCount(value, MAX_HTTP3_STREAMS),
  ],
  maxPendingHandshakes: [
    `a whole number from 1 to ${MAX_HANDSHAKES}`,
    (value: unknown) => isCount(value, MAX_HANDSHAKES),
  ],
} satisfies Record<string, Rule>;

type Key = keyof typeof RULES;

/**
 * The addresses that the options ask for, checked, in their order.
 *
 * @throws {TypeError} If `listen` is given beside the simple form, or something
 * has a wrong shape.
 * @throws {RangeError} If a port or a mode is out of range.
 */
export function listenTargets(options: ListenChoice): ListenerTarget[] {
  const { listen, hostname, port, tls, http3, proxyProtocol } = options;
  const { http2 = true } = options;
  if (listen === undefined) {
    const simple = { hostname, port, tls, http3, proxyProtocol };
    return [tcpTarget(simple, http2, "option")];
  }
  for (const name of TCP_KEYS) {
    if (options[name] === undefined) continue;
    throw new TypeError(
      `Cannot serve: option "${name}" cannot be given beside option "listen"`,
    );
  }
  const list = Array.isArray(listen) ? listen : [listen];
  if (list.length === 0) {
    throw new TypeError('Cannot serve: option "listen" must not be empty');
  }
  return list.map((one: ListenOptions, index) => {
    const where = Array.isArray(listen) ? `listen[${index}]` : "listen";
    check(where, one, ["an object", isObject]);
    return "path" in one
      ? unixTarget(one, `option "${where}":`)
      : tcpTarget(one, http2, `option "${where}":`);
  });
}

function tcpTarget(
  options: TcpListenOptions,
  http2: boolean,
  where: string,
): ListenerTarget {
  checkKeys(options, TCP_KEYS, where);
  const { hostname = DEFAULT_HOSTNAME, port = DEFAULT_PORT, tls } = options;
  return {
    transport: "tcp",
    hostname,
    port,
    tls: tls === undefined ? undefined : tlsTarget(tls, http2, where),
    ...http3Target(options, where),
    ...proxiesTarget(options, where),
  };
}

function http3Target(
  { http3 = false, tls, proxyProtocol }: TcpListenOptions,
  where: string,
): { http3?: QuicSettings } {
  if (http3 === false) return {};
  const name = `${where} "http3"`;
  if (tls === undefined) {
    throw new TypeError(`Cannot serve: ${name} needs "tls"`);
  }
  if (proxyProtocol !== undefined) {
    throw new TypeError(
      `Cannot serve: ${name} cannot be given beside "proxyProtocol": QUIC has no such header`,
    );
  }
  const given = http3 === true ? {} : http3;
  checkKeys(given, HTTP3_KEYS, where === "option" ? `${name}:` : name);
  const altSvc = given.altSvc === false ? null : given.altSvc;
  return { http3: { ...DEFAULT_HTTP3, ...withoutAbsent(given), altSvc } };
}

/** A key whose value is `undefined` counts as absent. */
function withoutAbsent<T extends object>(options: T): Partial<T> {
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<T>;
}

function unixTarget(options: UnixListenOptions, where: string): ListenerTarget {
  checkKeys(options, ["path", "mode", "proxyProtocol"], where, ["path"]);
  const { path, mode } = options;
  const proxies = proxiesTarget(options, where);
  return { transport: "unix", path, mode, ...proxies };
}

function proxiesTarget(
  options: { tls?: TlsOptions; proxyProtocol?: readonly string[] },
  where: string,
): { proxies?: AddressSet } {
  const { tls, proxyProtocol } = options;
  if (proxyProtocol === undefined) return {};
  const name = `${where} "proxyProtocol"`;
  if (tls !== undefined && !tls.noDelay) {
    throw new TypeError(
      `Cannot serve: ${name} can be given beside "tls" only with its "noDelay": else nothing can be read before the handshake`,
    );
  }
  try {
    return { proxies: AddressSet.parse(proxyProtocol) };
  } catch (error) {
    const { message } = error as Error;
    const ErrorClass = error instanceof RangeError ? RangeError : TypeError;
    throw new ErrorClass(`Cannot serve: ${name}: ${message}`, { cause: error });
  }
}

function tlsTarget(
  options: TlsOptions,
  http2: boolean,
  where: string,
): TlsSettings {
  const inside = where === "option" ? 'option "tls":' : `${where} "tls":`;
  checkKeys(options, TLS_KEYS, inside, ["cert", "key"]);
  const { cert, key, passphrase } = options;
  const { noDelay = false, minVersion = OLDEST_TLS } = options;
  if (minVersion !== OLDEST_TLS && !noDelay) {
    throw new TypeError(
      `Cannot serve: ${inside} "minVersion" needs "noDelay": without it, both versions are spoken`,
    );
  }
  const alpn = alpnProtocols(options, http2, inside);
  return { cert, key, passphrase, alpn, noDelay, minVersion };
}

function alpnProtocols(
  { alpn = ALPN_PROTOCOLS }: TlsOptions,
  http2: boolean,
  where: string,
): string[] {
  const offered = alpn.filter((name) => http2 || name !== ALPN_HTTP2);
  if (offered.length > 0) return offered;
  throw new TypeError(
    `Cannot serve: ${where} "alpn" lists "h2" alone, and option "http2" is false`,
  );
}

/** Checks the values of an object, and that it has no other keys. */
function checkKeys(
  options: object,
  known: readonly Key[],
  where: string,
  required: readonly Key[] = [],
): void {
  const given: Record<string, unknown> = { ...options };
  for (const name of Object.keys(given)) {
    if (known.includes(name as Key)) continue;
    throw new TypeError(`Cannot serve: ${where} unknown key "${name}"`);
  }
  for (const name of known) {
    const value = given[name];
    if (value === undefined && !required.includes(name)) continue;
    check(`${where} "${name}"`, value, RULES[name]);
  }
}

function check(what: string, value: unknown, rule: Rule): void {
  const [, accepts] = rule;
  if (!accepts(value)) throw mustBe(what, rule, value);
}

function quoted(list: readonly unknown[]): string {
  return list.map((item) => `"${item}"`).join(", ");
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every(isString);
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function isMode(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 &&
    Number(value) <= MAX_MODE;
}

/** Whether a value can be the option `http3`. */
export function isHttp3(value: unknown): boolean {
  return isBoolean(value) || isObject(value);
}

function isAltSvc(value: unknown): boolean {
  return value === false ||
    typeof value === "string" && value !== "" && isFieldValue(value);
}

function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max;
}

function isTlsVersion(value: unknown): boolean {
  return value === OLDEST_TLS || value === "TLSv1.3";
}

function isAlpn(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 &&
    value.every((protocol) => ALPN_PROTOCOLS.includes(protocol));
}

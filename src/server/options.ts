/**
 * The options of a server: every limit and deadline with its default.
 *
 * @module
 */

import { show } from "../asgi/event_checks.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "../websocket/options.ts";
import type { LifespanMode } from "../asgi/lifespan_cycle.ts";
import { isFieldValue } from "../http/fields.ts";
import { DEFAULT_HTTP1_OPTIONS, type Http1Options } from "../http1/options.ts";
import {
  DEFAULT_HOSTNAME,
  DEFAULT_PORT,
  type Http3ListenOptions,
  isHttp3,
  type ListenOptions,
  type TlsOptions,
} from "./listen_options.ts";
import type { AccessRecord, LogRecord } from "../logs/records.ts";
import { isAddressList } from "../net/addresses.ts";
import type { ServerAddress } from "../net/listener_address.ts";
import { isRootPath } from "../middleware/root_path.ts";
import type { Metrics } from "../metrics/metrics.ts";
import {
  isBoolean,
  isFunction,
  isObject,
  isPort,
  isString,
  mustBe,
  type Rule,
} from "./_rules.ts";

/** What {@linkcode serve} takes; times in milliseconds, `Infinity` for none. */
export interface ServeOptions {
  /** The port to listen on; 0 takes a free one. Default: 8000. */
  port?: number;
  /** The address to listen on. Default: "127.0.0.1". */
  hostname?: string;
  /** Makes that a listener for TLS, with a certificate and its key. Default: none. */
  tls?: TlsOptions;
  /** Whether HTTP/3 is served beside TLS, on the UDP port of the same number; experimental, needs `--unstable-net`. Default: false. */
  http3?: boolean | Http3ListenOptions;
  /** Other addresses to listen on, in place of `port`, `hostname`, `tls`, `http3` and `proxyProtocol`. Default: none. */
  listen?: ListenOptions | readonly ListenOptions[];
  /** Proxies that begin each connection with a PROXY protocol header: addresses, and ranges such as "10.0.0.0/8". Default: none. */
  proxyProtocol?: readonly string[];
  /** Connections that the system keeps waiting to be accepted; past it: it refuses them. Default: 511. */
  backlog?: number;
  /** Whether several processes may listen on the same port; needs `--unstable-net`. Default: false. */
  reusePort?: boolean;
  /** Shuts the server down when it is aborted. Default: none. */
  signal?: AbortSignal;
  /** Whether SIGINT and SIGTERM shut the server down, and SIGHUP reloads certificates. Default: false. */
  signals?: boolean;
  /** Called when the server accepts, with the first address and with all; if it fails, that is logged. Default: logs the URLs. */
  onListen?: (address: ServerAddress, all: readonly ServerAddress[]) => void;
  /** Called with what the server has to say. If it fails, that goes to stderr. Default: "info" and above to stderr. */
  log?: (record: LogRecord) => void;
  /** Called once for each request, when its response is complete or cut short; if it fails, that is logged. Default: none. */
  accessLog?: (record: AccessRecord) => void;
  /** Counts what the server does; see docs/metrics.md. Default: none. */
  metrics?: Metrics;

  /** Proxies whose `X-Forwarded-For` and `-Proto` count: addresses, ranges such as "10.0.0.0/8", "unix". Default: []. */
  trustedProxies?: readonly string[];
  /** The prefix that a proxy takes off the path, such as "/api". Default: "". */
  rootPath?: string;

  /**
   * Whether HTTP/2 is spoken: over TLS where ALPN agrees on it, in clear text
   * with clients that begin with its preface. Default: true.
   */
  http2?: boolean;
  /** Streams of an HTTP/2 connection that may be open at once, up to 2³¹ − 1; past it: one is refused (REFUSED_STREAM), to be tried again. Default: 100. */
  maxConcurrentStreams?: number;
  /** Content of one HTTP/2 stream that is read ahead of its application, in bytes, from 65,535 to 2³¹ − 1; past it: the client waits. Default: 256 KiB. */
  http2StreamWindow?: number;
  /** Content of all streams of an HTTP/2 connection that is read ahead, in bytes, within the same bounds; past it: the client waits. Default: 4 MiB. */
  http2BufferBytes?: number;

  /** The request line; past it: 414. Default: 8 KiB. */
  maxRequestLineBytes?: number;
  /** All fields of a request; past it: 431. Default: 64 KiB. */
  maxHeaderBytes?: number;
  /** The number of fields of a request; past it: 431. Default: 128. */
  maxHeaders?: number;
  /** The content of a request; past it: 413. Default: none. */
  maxBodyBytes?: number;

  /** Open connections; past it: one without a request is closed (idle, or silent for a second), or none accepted. Default: none. */
  maxConnections?: number;
  /** Requests being handled; past it: 503 with retry-after. Default: none. */
  maxConcurrentRequests?: number;
  /** Requests on one connection; the last gets `connection: close`. Default: none. */
  maxRequestsPerConnection?: number;

  /** For a TLS handshake; past it: the connection is cut. Default: 10 s. */
  handshakeTimeout?: number;
  /** From accept, or a later request's first byte, to the head's end; past it: 408, or close if no byte came. So long a response may take that a client has sent 64 KiB ahead of. Default: 30 s. */
  headerTimeout?: number;
  /** Idle between two requests; past it: close. Default: 75 s. */
  keepAliveTimeout?: number;
  /** Without a byte while the application waits for content; past it: 408. Default: 60 s. */
  bodyTimeout?: number;
  /** Without progress of a write; past it: the connection is cut. Default: 60 s. */
  writeTimeout?: number;
  /** Whether the application gets events of start and stop: if it takes them, always ("on": one that cannot fails), or never. Default: "auto". */
  lifespan?: LifespanMode;
  /** For the application to start; past it: it has failed. Default: 60 s. */
  startupTimeout?: number;
  /** For responses in flight at a shutdown; past it: they are cut. Default: 10 s. */
  shutdownTimeout?: number;
  /** How much of a body that the application did not read is read to keep the connection; past it, or if nobody knows how much is left: `connection: close`. Default: 64 KiB. */
  drainBytes?: number;
  /** How long the client may take to send that, or to close. Default: 5 s. */
  drainTimeout?: number;

  /** Open WebSockets; past it: 503 with retry-after. Default: none. */
  maxWebSockets?: number;
  /** A message of a WebSocket, inflated; past it: close code 1009. Default: 16 MiB. */
  maxMessageBytes?: number;
  /** All messages of WebSockets of over 64 KiB that arrive, wait, or were received last, inflated; past it: close code 1013. Default: 256 MiB. */
  maxBufferedBytes?: number;
  /** For the next 64 KiB of a message that has begun, or its end; past it: close code 1008. Default: 60 s. */
  messageTimeout?: number;
  /** Silence of a WebSocket's client; past it: it is sent a ping. Default: 20 s. */
  pingInterval?: number;
  /** Silence after a ping; past it: the WebSocket counts as lost. Default: 20 s. */
  pingTimeout?: number;
  /** Without a message in either direction; past it: close code 1001. Default: none. */
  webSocketIdleTimeout?: number;
  /** For the client's answer to a close; past it: the connection is cut. Default: 5 s. */
  closeTimeout?: number;
  /** Whether WebSocket messages are compressed for clients that offer it. Default: true. */
  compression?: boolean;

  /**
   * Whether the extension `http.response.early_hint` is offered.
   * Some proxies (nginx 1.22 among them) take a 103 for the final response, and
   * give the real one to the next client whose request comes by the same
   * connection: turn it on only where clients connect directly, or through a
   * proxy that is known to pass a 103 on, or to drop it. Default: false.
   */
  earlyHints?: boolean;
  /** Whether responses get a `date`. Default: true. */
  dateHeader?: boolean;
  /** The value of the `server` field; `null` for none. Default: "x-asgi". */
  serverHeader?: string | null;
}

/** Options with every default filled in. */
export type ResolvedOptions =
  & Required<Omit<ServeOptions, OptionWithoutDefault>>
  & Omit<Http1Options, "altSvc">;

type OptionWithoutDefault =
  | "tls"
  | "listen"
  | "proxyProtocol"
  | "signal"
  | "onListen"
  | "log"
  | "accessLog"
  | "metrics";

/** The defaults of every option that has one. */
export const DEFAULT_OPTIONS: ResolvedOptions = {
  ...DEFAULT_HTTP1_OPTIONS,
  port: DEFAULT_PORT,
  hostname: DEFAULT_HOSTNAME,
  backlog: 511,
  reusePort: false,
  http3: false,
  signals: false,
  trustedProxies: [],
  rootPath: "",
  http2: true,
  maxConcurrentStreams: 100,
  http2StreamWindow: 256 * 1024,
  http2BufferBytes: 4 * 1024 * 1024,
  maxConnections: Infinity,
  maxConcurrentRequests: Infinity,
  handshakeTimeout: 10_000,
  writeTimeout: 60_000,
  lifespan: "auto",
  startupTimeout: 60_000,
  shutdownTimeout: 10_000,
  maxWebSockets: Infinity,
  maxMessageBytes: DEFAULT_WEBSOCKET_OPTIONS.maxMessageBytes,
  maxBufferedBytes: 256 * 1024 * 1024,
  messageTimeout: DEFAULT_WEBSOCKET_OPTIONS.messageTimeout,
  pingInterval: DEFAULT_WEBSOCKET_OPTIONS.pingInterval,
  pingTimeout: DEFAULT_WEBSOCKET_OPTIONS.pingTimeout,
  webSocketIdleTimeout: DEFAULT_WEBSOCKET_OPTIONS.idleTimeout,
  closeTimeout: DEFAULT_WEBSOCKET_OPTIONS.closeTimeout,
  compression: true,
};

/** The kinds of options; each has its rule. */
export type OptionKind = keyof typeof RULES;

/** The most streams that a connection of HTTP/2 can have. */
export const MAX_STREAMS: number = 2 ** 31 - 1;
/** The window that each stream of HTTP/2 begins with. */
export const MIN_STREAM_WINDOW = 65_535;
/** The largest window of HTTP/2. */
export const MAX_STREAM_WINDOW: number = 2 ** 31 - 1;

/** What values an option takes, and how an error message says it. */
const RULES = {
  count: ["a whole number above 0, or Infinity", isLimit],
  size: ["a whole number of bytes above 0, or Infinity", isLimit],
  streams: [`a whole number from 1 to ${MAX_STREAMS}`, isStreamCount],
  window: [
    `a whole number of bytes from ${MIN_STREAM_WINDOW} to ${MAX_STREAM_WINDOW}`,
    isWindow,
  ],
  time: ["a number of milliseconds above 0, or Infinity", isTime],
  port: ["a whole number from 0 to 65535", isPort],
  backlog: ["a whole number from 1 to 65535", isBacklog],
  tls: ["an object with cert and key", isObject],
  http3: ["a boolean, or an object", isHttp3],
  listen: ["an address to listen on, or a list of them", isObject],
  peers: ["a list of addresses", Array.isArray],
  metrics: ["a Metrics", isMetrics],
  string: ["a string", isString],
  boolean: ["a boolean", isBoolean],
  function: ["a function", isFunction],
  signal: ["an AbortSignal", (value: unknown) => value instanceof AbortSignal],
  proxies: ['a list of addresses, ranges and "unix"', isAddressList],
  "root path": ['"" or a path such as "/api"', isRootPath],
  lifespan: ['"auto", "on" or "off"', isLifespanMode],
  "field value": ["a field value, or null", isNullableFieldValue],
} satisfies Record<string, Rule>;

/** What kind of value each option takes. */
export const OPTION_KINDS: Record<keyof ServeOptions, OptionKind> = {
  port: "port",
  hostname: "string",
  tls: "tls",
  http3: "http3",
  listen: "listen",
  proxyProtocol: "peers",
  backlog: "backlog",
  reusePort: "boolean",
  signal: "signal",
  signals: "boolean",
  onListen: "function",
  log: "function",
  accessLog: "function",
  metrics: "metrics",
  trustedProxies: "proxies",
  rootPath: "root path",
  http2: "boolean",
  maxConcurrentStreams: "streams",
  http2StreamWindow: "window",
  http2BufferBytes: "window",
  maxRequestLineBytes: "size",
  maxHeaderBytes: "size",
  maxHeaders: "count",
  maxBodyBytes: "size",
  maxConnections: "count",
  maxConcurrentRequests: "count",
  maxRequestsPerConnection: "count",
  handshakeTimeout: "time",
  headerTimeout: "time",
  keepAliveTimeout: "time",
  bodyTimeout: "time",
  writeTimeout: "time",
  lifespan: "lifespan",
  startupTimeout: "time",
  shutdownTimeout: "time",
  drainBytes: "size",
  drainTimeout: "time",
  maxWebSockets: "count",
  maxMessageBytes: "size",
  maxBufferedBytes: "size",
  messageTimeout: "time",
  pingInterval: "time",
  pingTimeout: "time",
  webSocketIdleTimeout: "time",
  closeTimeout: "time",
  compression: "boolean",
  earlyHints: "boolean",
  dateHeader: "boolean",
  serverHeader: "field value",
};

/**
 * Checks options and fills in the defaults; an option that is `undefined`
 * counts as absent.
 *
 * @throws {TypeError} If they are no object, or an option is unknown, or has a
 * wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveOptions(options: ServeOptions): ResolvedOptions {
  if (!isObject(options)) {
    throw new TypeError(
      `Cannot serve: the options must be an object, not ${show(options)}`,
    );
  }
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const kind = OPTION_KINDS[name as keyof ServeOptions];
    if (kind === undefined || !Object.hasOwn(OPTION_KINDS, name)) {
      throw new TypeError(`Cannot serve: unknown option "${name}"`);
    }
    const rule: Rule = RULES[kind];
    const [, accepts] = rule;
    if (!accepts(value)) throw mustBe(`option "${name}"`, rule, value);
    given[name] = value;
  }
  return { ...DEFAULT_OPTIONS, ...given };
}

/** Asks for what is used: the class itself is loaded by those who count. */
function isMetrics(value: unknown): boolean {
  return isObject(value) &&
    USED_OF_METRICS.every((name) => name in (value as Metrics));
}

const USED_OF_METRICS: readonly (keyof Metrics)[] = [
  "counts",
  "attach",
  "setReady",
  "requestBegan",
  "requestEnded",
];

function isLimit(value: unknown): boolean {
  return value === Infinity || Number.isSafeInteger(value) && Number(value) > 0;
}

function isStreamCount(value: unknown): boolean {
  return isWhole(value, 1, MAX_STREAMS);
}

function isWindow(value: unknown): boolean {
  return isWhole(value, MIN_STREAM_WINDOW, MAX_STREAM_WINDOW);
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min &&
    Number(value) <= max;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value > 0;
}

function isBacklog(value: unknown): boolean {
  return isPort(value) && Number(value) > 0;
}

function isLifespanMode(value: unknown): boolean {
  return value === "auto" || value === "on" || value === "off";
}

function isNullableFieldValue(value: unknown): boolean {
  return value === null || typeof value === "string" && isFieldValue(value);
}

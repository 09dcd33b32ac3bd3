/**
 * The options of a server: every limit and deadline with its default.
 *
 * @module
 */

import { DEFAULT_WEBSOCKET_OPTIONS } from "./websocket/options.ts";
import type { LifespanMode } from "./asgi/lifespan_cycle.ts";
import { isFieldValue } from "./fields.ts";
import {
  DEFAULT_HTTP1_OPTIONS,
  type Http1Options,
} from "./http1/connection.ts";

/** How grave a log record is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One thing that the server has to say. */
export interface LogRecord {
  /** How grave it is. */
  readonly level: LogLevel;
  /** What happened, in one line. */
  readonly message: string;
  /** The error that it is about, if there is one. */
  readonly error?: unknown;
}

/** Where a server listens, once it does. */
export interface ServerAddress {
  /** The kind of listener. */
  readonly transport: "tcp";
  /** The address that is bound. */
  readonly hostname: string;
  /** The port that is bound, also where port 0 was asked for. */
  readonly port: number;
}

/** What {@linkcode serve} takes; times in milliseconds, `Infinity` for none. */
export interface ServeOptions {
  /** The port to listen on; 0 takes a free one. Default: 8000. */
  port?: number;
  /** The address to listen on. Default: "127.0.0.1". */
  hostname?: string;
  /** Shuts the server down when it is aborted. Default: none. */
  signal?: AbortSignal;
  /** Called when the server accepts. Default: logs the URL. */
  onListen?: (address: ServerAddress) => void;
  /** Called with what the server has to say. Default: "info" and graver to stderr. */
  log?: (record: LogRecord) => void;

  /** The request line; past it: 414. Default: 8 KiB. */
  maxRequestLineBytes?: number;
  /** All fields of a request; past it: 431. Default: 64 KiB. */
  maxHeaderBytes?: number;
  /** The number of fields of a request; past it: 431. Default: 128. */
  maxHeaders?: number;
  /** The content of a request; past it: 413. Default: none. */
  maxBodyBytes?: number;

  /** Open connections; past it: the oldest idle one is closed, or none accepted. Default: none. */
  maxConnections?: number;
  /** Requests being handled; past it: 503 with retry-after. Default: none. */
  maxConcurrentRequests?: number;
  /** Requests on one connection; the last gets `connection: close`. Default: none. */
  maxRequestsPerConnection?: number;

  /** From accept, or a later request's first byte, to the head's end; past it: 408. Default: 30 s. */
  headerTimeout?: number;
  /** Idle between two requests; past it: close. Default: 75 s. */
  keepAliveTimeout?: number;
  /** Without a byte while the application waits for content; past it: 408. Default: 60 s. */
  bodyTimeout?: number;
  /** Without progress of a write; past it: the connection is cut. Default: 60 s. */
  writeTimeout?: number;
  /** Whether the application is told of start and stop: if it can be, always ("on": one that cannot fails), or never. Default: "auto". */
  lifespan?: LifespanMode;
  /** For the application to start; past it: it has failed. Default: 60 s. */
  startupTimeout?: number;
  /** For responses in flight at a shutdown; past it: they are cut. Default: 10 s. */
  shutdownTimeout?: number;
  /** How much of a body that the application did not read is read to keep the connection. Default: 64 KiB. */
  drainBytes?: number;
  /** How long the client may take to send that, or to close. Default: 5 s. */
  drainTimeout?: number;

  /** Open WebSockets; past it: 503 with retry-after. Default: none. */
  maxWebSockets?: number;
  /** A message of a WebSocket, inflated; past it: close code 1009. Default: 16 MiB. */
  maxMessageBytes?: number;
  /** Silence of a WebSocket's client; past it: it is sent a ping. Default: 20 s. */
  pingInterval?: number;
  /** Silence behind a ping; past it: the WebSocket counts as lost. Default: 20 s. */
  pingTimeout?: number;
  /** Without a message in either direction; past it: close code 1001. Default: none. */
  webSocketIdleTimeout?: number;
  /** For the client's answer to a close; past it: the connection is cut. Default: 5 s. */
  closeTimeout?: number;
  /** Whether WebSocket messages are compressed for clients that offer it. Default: true. */
  compression?: boolean;

  /** Whether responses get a `date`. Default: true. */
  dateHeader?: boolean;
  /** The value of the `server` field; `null` for none. Default: "x-asgi". */
  serverHeader?: string | null;
}

/** Options with every default filled in. */
export type ResolvedOptions =
  & Required<Omit<ServeOptions, "signal" | "onListen" | "log">>
  & Http1Options;

/** The defaults of every option that has one. */
export const DEFAULT_OPTIONS: ResolvedOptions = {
  ...DEFAULT_HTTP1_OPTIONS,
  port: 8000,
  hostname: "127.0.0.1",
  maxConnections: Infinity,
  maxConcurrentRequests: Infinity,
  writeTimeout: 60_000,
  lifespan: "auto",
  startupTimeout: 60_000,
  shutdownTimeout: 10_000,
  maxWebSockets: Infinity,
  maxMessageBytes: DEFAULT_WEBSOCKET_OPTIONS.maxMessageBytes,
  pingInterval: DEFAULT_WEBSOCKET_OPTIONS.pingInterval,
  pingTimeout: DEFAULT_WEBSOCKET_OPTIONS.pingTimeout,
  webSocketIdleTimeout: DEFAULT_WEBSOCKET_OPTIONS.idleTimeout,
  closeTimeout: DEFAULT_WEBSOCKET_OPTIONS.closeTimeout,
  compression: true,
};

type Kind = keyof typeof RULES;

/** What values an option takes, and how an error message says it. */
const RULES = {
  limit: ["a whole number above 0, or Infinity", isLimit],
  time: ["a number of milliseconds above 0, or Infinity", isTime],
  port: ["a whole number from 0 to 65535", isPort],
  string: ["a string", (value: unknown) => typeof value === "string"],
  boolean: ["a boolean", (value: unknown) => typeof value === "boolean"],
  function: ["a function", (value: unknown) => typeof value === "function"],
  signal: ["an AbortSignal", (value: unknown) => value instanceof AbortSignal],
  lifespan: ['"auto", "on" or "off"', isLifespanMode],
  "field value": ["a field value, or null", isNullableFieldValue],
} as const;

const KINDS: Record<keyof ServeOptions, Kind> = {
  port: "port",
  hostname: "string",
  signal: "signal",
  onListen: "function",
  log: "function",
  maxRequestLineBytes: "limit",
  maxHeaderBytes: "limit",
  maxHeaders: "limit",
  maxBodyBytes: "limit",
  maxConnections: "limit",
  maxConcurrentRequests: "limit",
  maxRequestsPerConnection: "limit",
  headerTimeout: "time",
  keepAliveTimeout: "time",
  bodyTimeout: "time",
  writeTimeout: "time",
  lifespan: "lifespan",
  startupTimeout: "time",
  shutdownTimeout: "time",
  drainBytes: "limit",
  drainTimeout: "time",
  maxWebSockets: "limit",
  maxMessageBytes: "limit",
  pingInterval: "time",
  pingTimeout: "time",
  webSocketIdleTimeout: "time",
  closeTimeout: "time",
  compression: "boolean",
  dateHeader: "boolean",
  serverHeader: "field value",
};

/**
 * Checks options and fills in the defaults; an option that is `undefined`
 * counts as absent.
 *
 * @throws {TypeError} If an option is unknown, or has a wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveOptions(options: ServeOptions): ResolvedOptions {
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const kind = KINDS[name as keyof ServeOptions];
    if (kind === undefined || !Object.hasOwn(KINDS, name)) {
      throw new TypeError(`Cannot serve: unknown option "${name}"`);
    }
    const [rule, accepts] = RULES[kind];
    if (!accepts(value)) {
      const ErrorClass = typeof value === "number" ? RangeError : TypeError;
      throw new ErrorClass(
        `Cannot serve: option "${name}" must be ${rule}, not ${String(value)}`,
      );
    }
    given[name] = value;
  }
  return { ...DEFAULT_OPTIONS, ...given };
}

function isLimit(value: unknown): boolean {
  return value === Infinity || Number.isSafeInteger(value) && Number(value) > 0;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value > 0;
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 &&
    Number(value) <= 65_535;
}

function isLifespanMode(value: unknown): boolean {
  return value === "auto" || value === "on" || value === "off";
}

function isNullableFieldValue(value: unknown): boolean {
  return value === null || typeof value === "string" && isFieldValue(value);
}

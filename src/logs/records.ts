/**
 * What a server reports: log records of its life and its errors, and one access
 * record for each request that was answered, or given up.
 *
 * @module
 */

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

/**
 * One request and how it ended. Values from the client are not escaped: escape
 * them before you write them to a log.
 */
export interface AccessRecord {
  /** What the request became. */
  readonly type: "http" | "websocket";
  /** When its head had arrived, in milliseconds since 1970. */
  readonly time: number;
  /** From there until the response was complete or cut short, in milliseconds. */
  readonly duration: number;
  /** The client's address and port, as a trusted proxy has named it; `null` for a unix socket. */
  readonly client: readonly [host: string, port: number] | null;
  /** How the request came. */
  readonly scheme: "http" | "https";
  /** The version of HTTP, such as "1.1". */
  readonly httpVersion: string;
  /** The method; "" if no request could be read. */
  readonly method: string;
  /** Path and query as they came; "" if no request could be read. */
  readonly target: string;
  /** The request's fields, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The status that was sent (of a WebSocket 101, over HTTP/2 200); `null` if none was. */
  readonly status: number | null;
  /** The content that was sent, in bytes; for a WebSocket, all that was sent. */
  readonly bytesSent: number;
  /** Whether the response was cut short, or never begun. */
  readonly aborted: boolean;
}

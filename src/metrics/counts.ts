/**
 * What is counted, as plain numbers: cheap to count, and easy to send from one
 * process to another and to add up there.
 *
 * @module
 */

/** The methods that are counted each; all others count as "other". */
export const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "other",
] as const;

/** The classes of statuses; "none" where no response was begun. */
export const STATUS_CLASSES = [
  "none",
  "1xx",
  "2xx",
  "3xx",
  "4xx",
  "5xx",
] as const;

/** The statuses by which the server itself refuses requests. */
export const REFUSALS = [
  400,
  408,
  413,
  414,
  417,
  426,
  431,
  501,
  503,
  505,
] as const;

/** The upper bounds of the buckets of durations, in seconds. */
export const DURATION_BOUNDS = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
  ...[0.25, 0.5, 1, 2.5, 5, 10, 30],
] as const;

/** Everything that a server counts, since it was made. */
export interface Counts {
  /** Connections that were accepted. */
  connectionsAccepted: number;
  /** Connections that are open, those of WebSockets included. */
  connectionsOpen: number;
  /** TLS handshakes that failed or took too long. */
  tlsFailures: number;
  /** PROXY protocol headers that were wrong, missing or too slow. */
  proxyHeaderFailures: number;
  /** Bytes that were read from connections, inside of TLS. */
  bytesReceived: number;
  /** Bytes that were written to connections, inside of TLS. */
  bytesSent: number;
  /** Connections that were cut because their client did not read. */
  writeTimeouts: number;
  /** Streams of HTTP/2 that are open. */
  http2StreamsOpen: number;
  /** Streams of HTTP/2 that were refused because too many were open. */
  http2StreamsRefused: number;
  /** Connections of HTTP/2 that were closed for what their client did: ENHANCE_YOUR_CALM. */
  http2ConnectionsClosedForAbuse: number;
  /** Streams of requests over HTTP/3 that are open. */
  http3StreamsOpen: number;
  /** Requests over HTTP/3 that were refused because too many were under way. */
  http3StreamsRefused: number;
  /** Connections of HTTP/3 that were closed for what their client did: H3_EXCESSIVE_LOAD. */
  http3ConnectionsClosedForAbuse: number;
  /** Requests that are being handled. */
  requestsInProgress: number;
  /** Requests that are over, by method and status class. */
  requests: number[];
  /** How many of them took up to each bound, and how many longer than all. */
  durations: number[];
  /** How long they took together, in seconds. */
  durationSeconds: number;
  /** Requests that the server has refused, by status. */
  refused: number[];
  /** Requests whose client disconnected before the response was complete. */
  clientDisconnects: number;
  /** Errors that the application has thrown, and responses it did not complete. */
  appErrors: number;
  /** WebSockets that were opened. */
  webSocketsAccepted: number;
  /** WebSockets that are open. */
  webSocketsOpen: number;
  /** Messages that clients sent, and applications asked for. */
  messagesReceived: number;
  /** Messages that applications sent. */
  messagesSent: number;
  /** Lines of logs that nobody read, or that could not be written. */
  logLinesLost: number;
  /** Bytes of messages that are held, in those of more than 64 KiB. */
  bufferedBytes: number;
  /** Messages that were refused because too many were held. */
  bufferRefusals: number;
  /** The memory that is used, in bytes. */
  residentBytes: number;
  /** 1 while the server accepts, 0 before and after that. */
  ready: number;
}

/** Those that say how things are, not what has happened. */
const GAUGES = new Set<keyof Counts>([
  "connectionsOpen",
  "http2StreamsOpen",
  "http3StreamsOpen",
  "requestsInProgress",
  "webSocketsOpen",
  "bufferedBytes",
  "residentBytes",
  "ready",
]);

/** Nothing has happened yet. */
export function createCounts(): Counts {
  return {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    tlsFailures: 0,
    proxyHeaderFailures: 0,
    bytesReceived: 0,
    bytesSent: 0,
    writeTimeouts: 0,
    http2StreamsOpen: 0,
    http2StreamsRefused: 0,
    http2ConnectionsClosedForAbuse: 0,
    http3StreamsOpen: 0,
    http3StreamsRefused: 0,
    http3ConnectionsClosedForAbuse: 0,
    requestsInProgress: 0,
    requests: zeros(METHODS.length * STATUS_CLASSES.length),
    durations: zeros(DURATION_BOUNDS.length + 1),
    durationSeconds: 0,
    refused: zeros(REFUSALS.length),
    clientDisconnects: 0,
    appErrors: 0,
    webSocketsAccepted: 0,
    webSocketsOpen: 0,
    messagesReceived: 0,
    messagesSent: 0,
    logLinesLost: 0,
    bufferedBytes: 0,
    bufferRefusals: 0,
    residentBytes: 0,
    ready: 0,
  };
}

/** The counts of several servers together. */
export function sumCounts(all: Iterable<Readonly<Counts>>): Counts {
  const sum = createCounts();
  for (const counts of all) {
    mapCounts(
      sum,
      (value, name, index) => value + valueOf(counts, name, index),
    );
  }
  return sum;
}

/** What has happened, without what is: all that remains of a dead process. */
export function pastCounts(counts: Readonly<Counts>): Counts {
  const past = structuredClone(counts);
  mapCounts(past, (value, name) => GAUGES.has(name) ? 0 : value);
  return past;
}

/** Whether something that came from another process is counts. */
export function isCounts(value: unknown): value is Counts {
  if (typeof value !== "object" || value === null) return false;
  const given = value as Record<string, unknown>;
  return Object.entries(createCounts()).every(([name, zero]) => {
    const counts = given[name];
    if (!Array.isArray(zero)) return isCount(counts);
    return Array.isArray(counts) && counts.length === zero.length &&
      counts.every(isCount);
  });
}

/** Where a request that is over is counted. */
export function requestIndex(method: string, status: number | null): number {
  const row = METHOD_ROWS.get(method) ?? METHODS.length - 1;
  const column = status === null ? 0 : Math.min(Math.floor(status / 100), 5);
  return row * STATUS_CLASSES.length + column;
}

/** Where a duration is counted. */
export function durationIndex(seconds: number): number {
  let index = 0;
  while (seconds > DURATION_BOUNDS[index]) index++;
  return index;
}

const METHOD_ROWS = new Map<string, number>(
  METHODS.slice(0, -1).map((method, row) => [method, row]),
);

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

function valueOf(
  counts: Readonly<Counts>,
  name: keyof Counts,
  index: number,
): number {
  const value = counts[name];
  return typeof value === "number" ? value : value[index];
}

/** Changes every number in place. */
function mapCounts(
  counts: Counts,
  change: (value: number, name: keyof Counts, index: number) => number,
): void {
  const numbers = counts as unknown as Record<string, number | number[]>;
  for (const name of Object.keys(numbers) as (keyof Counts)[]) {
    const value = numbers[name];
    numbers[name] = typeof value === "number"
      ? change(value, name, 0)
      : value.map((one, index) => change(one, name, index));
  }
}

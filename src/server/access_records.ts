/**
 * The access record of each request: begun when it arrives, reported when it is
 * over.
 *
 * @module
 */

import type { ConnectionInfo } from "../asgi/http_scope.ts";
import { callUser } from "../asgi/user_code.ts";
import type { RequestInfo } from "../http/exchange.ts";
import type { RefusedBytes } from "../http/served_connection.ts";
import type { AccessRecord, LogRecord } from "../logs/records.ts";

/** How a request came to its end. */
export type Outcome = Pick<AccessRecord, "status" | "bytesSent" | "aborted">;

/** What a record says of the request, and by the clock of `performance`. */
export interface BegunRecord
  extends Omit<AccessRecord, keyof Outcome | "type" | "duration"> {
  readonly start: number;
}

/** Reports records to the option `accessLog`. */
export class AccessRecords {
  readonly #accessLog: (record: AccessRecord) => void;
  readonly #log: (record: LogRecord) => void;

  /** `log` is called if `accessLog` fails: that is no reason to fail a connection. */
  constructor(
    accessLog: (record: AccessRecord) => void,
    log: (record: LogRecord) => void,
  ) {
    this.#accessLog = accessLog;
    this.#log = log;
  }

  /** Begins the record of a request. */
  begin(
    { version, method, target, headers }: RequestInfo,
    { client, scheme }: ConnectionInfo,
  ): BegunRecord {
    const { path, query } = target;
    return {
      client,
      scheme,
      httpVersion: version,
      method,
      target: query === "" ? path : `${path}?${query}`,
      headers,
      time: Date.now(),
      start: performance.now(),
    };
  }

  /** Reports the record of a request that is over. */
  end(
    begun: BegunRecord,
    type: AccessRecord["type"],
    outcome: Outcome,
  ): void {
    const accessLog = this.#accessLog;
    const record = complete(begun, type, outcome);
    callUser(
      () => accessLog(record),
      (error) =>
        this.#log({ level: "error", message: "The access log failed", error }),
    );
  }

  /** Reports an answer to what was no request of a version of HTTP. */
  refused(
    refused: RefusedBytes,
    info: ConnectionInfo,
    version: RequestInfo["version"],
  ): void {
    this.end(this.begin({ ...NO_REQUEST, version }, info), "http", refused);
  }
}

/** What a record says of bytes that are no request. */
const NO_REQUEST: Omit<RequestInfo, "version"> = {
  method: "",
  target: { path: "", query: "" },
  headers: [],
  protocol: undefined,
};

/** A record of all that is known; written out, because a copy costs more. */
function complete(
  begun: BegunRecord,
  type: AccessRecord["type"],
  { status, bytesSent, aborted }: Outcome,
): AccessRecord {
  return {
    type,
    time: begun.time,
    duration: performance.now() - begun.start,
    client: begun.client,
    scheme: begun.scheme,
    httpVersion: begun.httpVersion,
    method: begun.method,
    target: begun.target,
    headers: begun.headers,
    status,
    bytesSent,
    aborted,
  };
}

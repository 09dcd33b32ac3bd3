/**
 * `Metrics`: what a server counts, and the text that Prometheus reads.
 *
 * @module
 */

import {
  type Counts,
  createCounts,
  durationIndex,
  REFUSALS,
  requestIndex,
} from "./counts.ts";
import { formatMetrics } from "./exposition.ts";
import { serverMetrics } from "./server_metrics.ts";

/** How a request went. */
export interface RequestOutcome {
  /** The status that was sent; `null` if none was. */
  readonly status: number | null;
  /** The status that the server wanted to refuse it with, if it did. */
  readonly refusal: number | undefined;
  /** Whether the response was cut short, or never begun. */
  readonly aborted: boolean;
}

/**
 * Counts what a server does. Make one, give it to `serve` as its option
 * `metrics`, and show the text wherever you like.
 *
 * @example
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 * import { Metrics } from "jsr:@x/asgi/metrics";
 * import { assertMatch } from "jsr:@std/assert@^1";
 *
 * const metrics = new Metrics();
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: "Hello" });
 * }, { port: 0, metrics });
 * await (await fetch(server.url)).text();
 * await server.shutdown();
 * const line = /^asgi_requests_total\{method="GET",status="2xx"\} 1$/m;
 * assertMatch(await metrics.toText(), line);
 * ```
 */
export class Metrics {
  readonly #counts = createCounts();
  #residentBytes: () => number = () => 0;
  #lostLines: () => number = () => 0;

  /** The numbers as they are, for the server to count in. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Whether the server accepts connections: not before it has started, nor once it is to stop. */
  get ready(): boolean {
    return this.#counts.ready > 0;
  }

  /** The metrics in the text format of Prometheus, version 0.0.4. */
  toText(): string {
    // The clock starts with the process, or with its worker thread.
    const startSeconds = performance.timeOrigin / 1000;
    return formatMetrics(serverMetrics(this.snapshot(), startSeconds));
  }

  /** The numbers of this moment, as data that can be sent elsewhere. */
  snapshot(): Counts {
    this.#counts.residentBytes = this.#residentBytes();
    this.#counts.logLinesLost = this.#lostLines();
    return structuredClone(this.#counts);
  }

  /** Called by the server when it begins or ends to accept connections. */
  setReady(ready: boolean): void {
    this.#counts.ready = ready ? 1 : 0;
  }

  /** Called by the server with a function that returns the memory of the process, in bytes. */
  attach(residentBytes: () => number): void {
    this.#residentBytes = residentBytes;
  }

  /** Shows how many lines of logs were lost: `lost` of a `LineWriter`, for example. */
  countLostLines(lost: () => number): void {
    this.#lostLines = lost;
  }

  /** Called by the server when a request begins; returns the time, in milliseconds. */
  requestBegan(): number {
    this.#counts.requestsInProgress++;
    return performance.now();
  }

  /** Called by the server when a request that began at `start` is over. */
  requestEnded(start: number, method: string, outcome: RequestOutcome): void {
    const seconds = (performance.now() - start) / 1000;
    const counts = this.#counts;
    counts.requestsInProgress--;
    counts.requests[requestIndex(method, outcome.status)]++;
    counts.durations[durationIndex(seconds)]++;
    counts.durationSeconds += seconds;
    if (outcome.refusal !== undefined) this.refused(outcome.refusal);
    else if (outcome.aborted) counts.clientDisconnects++;
  }

  /** Called by the server when a WebSocket is open. */
  webSocketOpened(): void {
    this.#counts.webSocketsAccepted++;
    this.#counts.webSocketsOpen++;
  }

  /** Called by the server when a WebSocket and its connection are closed. */
  webSocketClosed(): void {
    this.#counts.webSocketsOpen--;
  }

  /** Called by the server when the application has failed. */
  appFailed(): void {
    this.#counts.appErrors++;
  }

  /** Called by the server when it has refused a request. */
  refused(status: number): void {
    const index = (REFUSALS as readonly number[]).indexOf(status);
    if (index >= 0) this.#counts.refused[index]++;
  }
}

/**
 * An application for those who watch a server: its metrics, whether it lives,
 * and whether it is ready. It belongs on an address of its own, which clients
 * cannot reach.
 *
 * @module
 */

import { respond } from "../asgi/helpers.ts";
import type { AsgiApp, HttpScope, Send } from "../asgi/types.ts";
import { CONTENT_TYPE } from "./exposition.ts";

/** What a {@linkcode metricsApp} shows; a `Metrics` is one. */
export interface MetricsSource {
  /** Whether the server accepts connections. */
  readonly ready: boolean;
  /** The metrics, in the text format of Prometheus. */
  toText(): string | Promise<string>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly allow?: string;
}

/**
 * Makes an application that answers:
 *
 * - `/metrics` with the metrics, as text for Prometheus;
 * - `/livez` with 200: the process can answer;
 * - `/readyz` with 200 while the server accepts connections, and with 503
 *   before it has started and once it is to stop.
 */
export function metricsApp(source: MetricsSource): AsgiApp {
  return async (scope, _receive, send) => {
    if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
    await answer(send, await answerTo(scope, source));
  };
}

async function answerTo(
  { method, path }: HttpScope,
  source: MetricsSource,
): Promise<Answer> {
  if (!["/metrics", "/livez", "/readyz"].includes(path)) {
    return {
      status: 404,
      body: "Not found: try /metrics, /livez or /readyz\n",
    };
  }
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, body: "Method not allowed\n", allow: "GET, HEAD" };
  }
  if (path === "/livez") return { status: 200, body: "live\n" };
  if (path === "/readyz") {
    return source.ready
      ? { status: 200, body: "ready\n" }
      : { status: 503, body: "not ready\n" };
  }
  return { status: 200, body: await source.toText(), type: CONTENT_TYPE };
}

async function answer(send: Send, answer: Answer): Promise<void> {
  const { status, body, type = "text/plain; charset=utf-8", allow } = answer;
  const headers: [string, string][] = [
    ["content-type", type],
    ["cache-control", "no-store"],
  ];
  if (allow !== undefined) headers.push(["allow", allow]);
  await respond(send, status, { headers, body });
}

/**
 * Where metrics, liveness and readiness are served: an address of their own, so
 * that they answer while the server starts, drains or is full.
 *
 * @module
 */

import type { LogRecord } from "../logs/records.ts";
import { metricsApp, type MetricsSource } from "../metrics/metrics_app.ts";
import { describeAddress } from "../net/listener_address.ts";
import { serve } from "../server/serve.ts";
import type { Endpoint } from "./listen_address.ts";

/** A scrape at the time of the shutdown gets an answer within this time. */
const SHUTDOWN_MS = 500;

/**
 * Serves metrics until it is disposed of.
 *
 * @throws {Deno.errors.AddrInUse} If the address is taken.
 */
export function serveMetrics(
  { hostname, port }: Endpoint,
  source: MetricsSource,
  log: (record: LogRecord) => void,
): AsyncDisposable {
  const server = serve(metricsApp(source), {
    hostname,
    port,
    lifespan: "off",
    shutdownTimeout: SHUTDOWN_MS,
    log,
    onListen: () => {
      const message = `Metrics are at ${
        describeAddress(server.addr, "metrics")
      }`;
      log({ level: "info", message });
    },
  });
  return { [Symbol.asyncDispose]: () => server.shutdown() };
}

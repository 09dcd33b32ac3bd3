/**
 * Metrics of a server, for Prometheus, and an application that shows them:
 *
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 * import { Metrics, metricsApp } from "jsr:@x/asgi/metrics";
 *
 * const metrics = new Metrics();
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: "Hello" });
 * }, { port: 0, metrics });
 * const monitor = serve(metricsApp(metrics), { port: 0 });
 *
 * await server.shutdown();
 * await monitor.shutdown();
 * ```
 *
 * @module
 */

export type { Counts } from "./counts.ts";
export { Metrics, type RequestOutcome } from "./metrics.ts";
export { metricsApp, type MetricsSource } from "./metrics_app.ts";

/**
 * Logs as text: access records in the formats that analysers know, log records
 * for people or machines, and a writer that collects lines and never holds up
 * the server. Nothing here knows where they go: that is what you give the writer.
 *
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 * import { accessFormatter, LineWriter } from "jsr:@x/asgi/logs";
 *
 * const format = accessFormatter("combined");
 * await using lines = new LineWriter(Deno.stdout);
 *
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: "Hello\n" });
 * }, {
 *   port: 0,
 *   accessLog: (record) => lines.line(format(record)),
 * });
 * await server.shutdown();
 * ```
 *
 * @module
 */

export { accessFormatter } from "./access_lines.ts";
export { LineWriter, type LineWriterOptions } from "./line_writer.ts";
export {
  formatLogRecord,
  type LogFormat,
  type LogLineOptions,
} from "./log_lines.ts";
export type { AccessRecord, LogLevel, LogRecord } from "./records.ts";
export type { ByteSink } from "./write_all.ts";

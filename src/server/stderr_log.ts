/**
 * Where log records go unless a server is given another place: to stderr, which
 * all servers of a process share.
 *
 * @module
 */

import { logLineWriter } from "../logs/log_line_writer.ts";
import type { LineWriter } from "../logs/line_writer.ts";
import { formatLogRecord } from "../logs/log_lines.ts";
import type { LogRecord } from "../logs/records.ts";

/** How long records may take to be written at the end, in milliseconds. */
const FLUSH_MS = 1_000;

let lines: LineWriter | undefined;

/** Writes a record from "info" on; never waits, and never throws. */
export function logToStderr(record: LogRecord): void {
  if (record.level === "debug") return;
  lines ??= logLineWriter(Deno.stderr, toLine);
  lines.line(toLine(record));
}

/** Resolves when the records so far are written, or after a second. */
export async function flushStderr(): Promise<void> {
  await lines?.flush(FLUSH_MS);
}

function toLine(record: LogRecord): string {
  const look = { format: "plain", color: false, time: new Date() } as const;
  return formatLogRecord(record, look);
}

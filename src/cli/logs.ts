/**
 * Where the command's logs go: log records to stderr, as they come; access
 * lines to stdout, many in one write.
 *
 * @module
 */

import { accessFormatter } from "../logs/access_lines.ts";
import { LineWriter } from "../logs/line_writer.ts";
import { formatLogRecord } from "../logs/log_lines.ts";
import type { AccessRecord, LogLevel, LogRecord } from "../logs/records.ts";
import type { Settings } from "./settings.ts";

/** The logs of a process. */
export interface Logs {
  /** Writes a log record, unless its level is too low. */
  log(record: LogRecord): void;
  /** Writes an access record; `undefined` if they are not wanted. */
  readonly accessLog: ((record: AccessRecord) => void) | undefined;
  /** Writes what has been held back. */
  flush(): void;
}

const GRAVITY: Record<LogLevel, number> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
};

/** The length of a line's date, which who watches a terminal knows. */
const DATE = "2026-01-31T".length;

const encoder = new TextEncoder();

/** Opens the logs that settings ask for. */
export function openLogs(
  settings: Pick<Settings, "logLevel" | "logFormat" | "accessLog">,
  process?: string,
): Logs {
  const access = openAccessLog(settings.accessLog);
  const { logFormat: format, logLevel } = settings;
  const color = colorful(Deno.stderr);
  const start = format === "plain" && Deno.stderr.isTerminal() ? DATE : 0;
  return {
    log: (record) => {
      if (GRAVITY[record.level] < GRAVITY[logLevel]) return;
      const time = new Date();
      const text = formatLogRecord(record, { format, color, process, time });
      print(Deno.stderr, text.slice(start));
    },
    accessLog: access?.log,
    flush: () => access?.flush(),
  };
}

/** Whether colours are wanted there: on a terminal, and without `NO_COLOR`. */
export function colorful(output: typeof Deno.stderr): boolean {
  return !Deno.noColor && output.isTerminal();
}

/** Writes a text to stdout or stderr. */
export function print(output: typeof Deno.stderr, text: string): void {
  writeAll(output, encoder.encode(text));
}

function openAccessLog(
  format: string,
): { log(record: AccessRecord): void; flush(): void } | undefined {
  if (format === "off") return undefined;
  const toLine = accessFormatter(format);
  const lines = new LineWriter((bytes) => writeAll(Deno.stdout, bytes));
  return {
    log: (record) => lines.line(toLine(record)),
    flush: () => lines[Symbol.dispose](),
  };
}

/** A log that cannot be written must not stop the server. */
function writeAll(output: typeof Deno.stderr, bytes: Uint8Array): void {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(output.writeSync(bytes));
  } catch {
    // Whoever read it is gone, or the disk is full.
  }
}

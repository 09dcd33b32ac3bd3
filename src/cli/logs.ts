/**
 * Where the command's logs go: log records to stderr, as they come; access
 * lines to stdout, many in one write. Neither ever waits for a reader: lines
 * that there is no room for are lost, counted and reported.
 *
 * @module
 */

import { accessFormatter } from "../logs/access_lines.ts";
import { LineWriter } from "../logs/line_writer.ts";
import { logLineWriter } from "../logs/log_line_writer.ts";
import { formatLogRecord, type LogFormat } from "../logs/log_lines.ts";
import type { AccessRecord, LogLevel, LogRecord } from "../logs/records.ts";
import { writeAll } from "../logs/write_all.ts";
import type { Settings } from "./settings.ts";
import { Stdout } from "./stdout.ts";

/** The logs of a process. */
export interface Logs {
  /** Writes a log record, unless its level is too low. */
  log(record: LogRecord): void;
  /** Writes an access record; `undefined` if they are not wanted. */
  readonly accessLog: ((record: AccessRecord) => void) | undefined;
  /** How many lines were lost, because nobody read them or they could not be written. */
  readonly lost: number;
  /** Writes what waits, and reports what could not be written after a second. */
  close(): Promise<void>;
}

const SEVERITY: Record<LogLevel, number> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
};

/** The length of a line's date, which who watches a terminal knows. */
const DATE = "2026-01-31T".length;

/** Opens the logs that settings ask for; `process` is one of several. */
export function openLogs(
  settings: Pick<Settings, "logLevel" | "logFormat" | "accessLog">,
  process?: string,
): Logs {
  const toLine = recordFormatter(settings.logFormat, process);
  const records = logLineWriter(Deno.stderr, toLine);
  const least = SEVERITY[settings.logLevel];
  const log = (record: LogRecord): void => {
    if (SEVERITY[record.level] >= least) records.line(toLine(record));
  };
  const shared = process !== undefined;
  const access = openAccessLog(settings.accessLog, { log, shared });
  return {
    log,
    accessLog: access?.log,
    get lost() {
      return records.lost + (access?.lines.lost ?? 0);
    },
    async close() {
      await access?.lines[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

function recordFormatter(
  format: LogFormat,
  process: string | undefined,
): (record: LogRecord) => string {
  const color = colorful(Deno.stderr);
  const start = format === "plain" && Deno.stderr.isTerminal() ? DATE : 0;
  return (record) => {
    const options = { format, color, process, time: new Date() };
    return formatLogRecord(record, options).slice(start);
  };
}

/** Whether colours are wanted there: on a terminal, and without `NO_COLOR`. */
export function colorful(output: typeof Deno.stderr): boolean {
  return !Deno.noColor && output.isTerminal();
}

/** Writes a text to stdout or stderr, however long that takes. */
export async function print(
  output: typeof Deno.stderr,
  text: string,
): Promise<void> {
  try {
    await writeAll(output, new TextEncoder().encode(text));
  } catch {
    // The reader is gone, or the disk is full.
  }
}

interface AccessLog {
  readonly lines: LineWriter;
  log(record: AccessRecord): void;
}

/** Opens the access log; its losses are reported to `log`. */
function openAccessLog(
  format: string,
  { log, shared }: { log: Logs["log"]; shared: boolean },
): AccessLog | undefined {
  if (format === "off") return undefined;
  const toLine = accessFormatter(format);
  const lines = new LineWriter(new Stdout(shared), {
    onLost: (count, error) => log(lossRecord(count, error)),
  });
  return { lines, log: (record) => lines.line(toLine(record)) };
}

function lossRecord(lines: number, error: unknown): LogRecord {
  const reason = error instanceof Error
    ? `they cannot be written to stdout: ${error.message}`
    : "what reads stdout does not keep up";
  return {
    level: "warn",
    message: `Access lines were lost: ${lines}; ${reason}`,
  };
}

/**
 * Log records as text: for people, or as JSON lines for machines. The text of
 * an error may come from a client, so everything is escaped: no control character
 * remains, and only the first line of a record begins with a time.
 *
 * @module
 */

import { type ErrorFacts, factsOf } from "./_error_facts.ts";
import { escapeText, jsonLine } from "./_escape.ts";
import type { LogLevel, LogRecord } from "./records.ts";

/** How log records are written: for people, or as JSON lines for machines. */
export type LogFormat = "plain" | "json";

/** How {@linkcode formatLogRecord} writes a record. */
export interface LogLineOptions {
  /** For people, or for machines. */
  format: LogFormat;
  /** Whether levels are coloured for a terminal; JSON never is. */
  color: boolean;
  /** When it happened. */
  time: Date;
  /** Which process it is about, where there are several. Default: not said. */
  process?: string;
}

/** Foreground colours: grey, green, yellow, red. */
const COLORS: Record<LogLevel, number> = {
  debug: 90,
  info: 32,
  warn: 33,
  error: 31,
};

/**
 * Writes a log record as text that ends with a newline.
 *
 * Plain text is one line, with the error's name and message at its end; the
 * error's stack, causes and members follow, indented. Controls, and invisible
 * characters, are written as `\xHH` or `\u{HHHH}`. Further lines of a
 * message are indented and begin with `|`. JSON is one line always, with the keys `time`,
 * `level`, `message`, `error` (`name`, `message`, `stack`, `cause`, `errors`)
 * and `process`.
 *
 * It does not throw, whatever the error is.
 *
 * @example
 * ```ts
 * import { formatLogRecord } from "jsr:@x/asgi/logs";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * const record = { level: "info", message: "Listening" } as const;
 * const time = new Date("2026-01-31T12:00:00.123Z");
 * assertEquals(
 *   formatLogRecord(record, { format: "plain", color: false, time }),
 *   "2026-01-31T12:00:00.123Z info  Listening\n",
 * );
 * ```
 */
export function formatLogRecord(
  record: LogRecord,
  options: LogLineOptions,
): string {
  const facts = record.error === undefined ? undefined : factsOf(record.error);
  return options.format === "json"
    ? formatJson(record, facts, options)
    : formatPlain(record, facts, options);
}

function formatJson(
  { level, message }: LogRecord,
  error: ErrorFacts | undefined,
  { time, process }: LogLineOptions,
): string {
  return jsonLine({ time: time.toISOString(), level, message, error, process });
}

function formatPlain(
  { level, message }: LogRecord,
  error: ErrorFacts | undefined,
  { time, process, color }: LogLineOptions,
): string {
  const shown = level.padEnd(5);
  const start = [
    time.toISOString(),
    color ? `\x1b[${COLORS[level]}m${shown}\x1b[0m` : shown,
    ...process === undefined ? [] : [`[${escapeText(process)}]`],
    escapeText(message),
  ].join(" ");
  if (error === undefined) return `${start}\n`;
  return `${errorLines(error, `${start}: `, "").join("\n")}\n`;
}

/** The lines of an error: the first after `start`, all others indented. */
function errorLines(
  error: ErrorFacts,
  start: string,
  indent: string,
): string[] {
  const [first, ...rest] = titleOf(error).split("\n").map(escapeText);
  const inner = `${indent}  `;
  const { cause, errors = [] } = error;
  return [
    start + first,
    // By the bar, they differ from records where indents are lost.
    ...rest.map((line) => `${indent}    | ${line}`),
    ...framesOf(error).map((frame) => `${indent}    ${escapeText(frame)}`),
    ...cause === undefined ? [] : errorLines(cause, `${inner}cause: `, inner),
    ...errors.flatMap((member, i) =>
      errorLines(member, `${inner}errors[${i}]: `, inner)
    ),
  ];
}

function titleOf({ name, message }: ErrorFacts): string {
  return [name, message].filter((part) => part).join(": ");
}

/** The stack without the message, whose lines may be mistaken for frames. */
function framesOf({ stack = "", message }: ErrorFacts): string[] {
  const at = stack.indexOf(message);
  const trace = at === -1 ? stack : stack.slice(at + message.length);
  return trace.split("\n").map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
}

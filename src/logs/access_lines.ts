/**
 * Access records as lines: in the formats that log analysers know, as JSON, or
 * in a format of one's own. What came from the client is escaped, so that a
 * record is one line of printable ASCII, or of JSON.
 *
 * A format is parsed once; a line then costs a microsecond or two.
 *
 * @module
 */

import { escapeField, jsonLine } from "./_escape.ts";
import type { AccessRecord } from "./records.ts";

/** A piece of a line: literal, or made of the record. */
type Part = string | ((record: AccessRecord) => string);

/** Makes a part of an atom's argument; `undefined` if it knows it not. */
type Atom = (argument: string | undefined) => Part | undefined;

const COMMON = '%h %l %u %t "%r" %s %b';
const COMBINED = `${COMMON} "%{referer}i" "%{user-agent}i"`;

/** Stands for the status that was never sent, as it does in nginx. */
const NO_STATUS = 499;

const ATOMS: Record<string, Atom> = {
  h: plain(({ client }) => client === null ? "-" : escapeField(client[0])),
  l: plain(() => "-"),
  u: plain(() => "-"),
  t: plain(({ time }) => clfTime(time)),
  r: plain(requestLine),
  m: plain(({ method }) => escapeField(method) || "-"),
  U: plain(({ target }) => escapeField(target.split("?", 1)[0]) || "-"),
  q: plain(({ target }) => escapeField(queryOf(target))),
  H: plain(protocol),
  s: plain(({ status }) => String(status ?? NO_STATUS)),
  b: plain(({ bytesSent }) => bytesSent === 0 ? "-" : String(bytesSent)),
  B: plain(({ bytesSent }) => String(bytesSent)),
  i: header,
  p: remotePort,
  D: plain((record) => String(microseconds(record))),
  T: durationIn,
  X: plain(({ aborted }) => aborted ? "X" : "-"),
};

/** What a message about an unknown atom says of those that there are. */
const KNOWN = "%h %l %u %t %r %m %U %q %H %s %b %B %{name}i %{remote}p %D " +
  "%T %{ms}T %{us}T %X %%";

/** An atom, or the start of one. */
const ATOM = /%(?:%|>?([a-zA-Z])|\{([^{}]*)\}([a-zA-Z])|.?)/gsu;

/**
 * Parses a format, and returns a function that formats records: each as one line
 * with its newline.
 *
 * The format is "common" or "combined" (after a response that was cut short,
 * ` aborted` follows at the end of the line), "json" (one object a line), or a
 * string with these atoms, which are those of Apache:
 *
 * | atom                         | what it becomes                             |
 * |------------------------------|---------------------------------------------|
 * | `%h`, `%{remote}p`           | the client's address, its port              |
 * | `%l`, `%u`                   | "-"                                         |
 * | `%t`                         | when it came: `[10/Oct/2000:13:55:36 +0000]`|
 * | `%r`                         | the request line                            |
 * | `%m`, `%U`, `%q`, `%H`       | method, path, "?" with the query, protocol  |
 * | `%s`, `%>s`                  | the status; 499 if none was sent            |
 * | `%b`, `%B`                   | bytes of content; for none: "-", 0          |
 * | `%{name}i`                   | a field of the request                      |
 * | `%D`, `%T`, `%{ms}T`         | microseconds, seconds, milliseconds         |
 * | `%X`                         | "X" if it was cut short, else "-"           |
 * | `%%`                         | "%"                                         |
 *
 * What is missing is "-" (but an empty query nothing). In all of them but JSON,
 * quotes, backslashes and everything that is not printable ASCII are written as
 * `\xHH`.
 *
 * @throws {RangeError} If the format has no atom, an unknown one, or a control
 * other than a tab.
 *
 * @example
 * ```ts
 * import { type AccessRecord, accessFormatter } from "jsr:@x/asgi/logs";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * const record: AccessRecord = {
 *   type: "http",
 *   time: Date.UTC(2000, 9, 10, 13, 55, 36),
 *   duration: 1.25,
 *   client: ["192.0.2.1", 50000],
 *   scheme: "http",
 *   httpVersion: "1.1",
 *   method: "GET",
 *   target: "/a?b",
 *   headers: [["host", "example.com"]],
 *   status: 200,
 *   bytesSent: 5,
 *   aborted: false,
 * };
 * assertEquals(
 *   accessFormatter("common")(record),
 *   '192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 5\n',
 * );
 * assertEquals(accessFormatter("%m %{host}i %D")(record), "GET example.com 1250\n");
 * ```
 */
export function accessFormatter(
  format: string,
): (record: AccessRecord) => string {
  switch (format) {
    case "json":
      return (record) => jsonLine(jsonOf(record));
    case "common":
      return lineOf([...parse(COMMON), abortedMark, "\n"]);
    case "combined":
      return lineOf([...parse(COMBINED), abortedMark, "\n"]);
    default:
      return lineOf([...parse(format), "\n"]);
  }
}

function lineOf(parts: readonly Part[]): (record: AccessRecord) => string {
  return (record) => {
    let line = "";
    for (const part of parts) {
      line += typeof part === "string" ? part : part(record);
    }
    return line;
  };
}

/** Only where there is something to say: all else is what analysers expect. */
function abortedMark({ aborted }: AccessRecord): string {
  return aborted ? " aborted" : "";
}

function parse(format: string): Part[] {
  if (/[^\P{Cc}\t]/u.test(format)) {
    throw new RangeError("Cannot parse access log format: it has a control");
  }
  const parts: Part[] = [];
  let end = 0;
  for (const match of format.matchAll(ATOM)) {
    parts.push(format.slice(end, match.index), partOf(match));
    end = match.index + match[0].length;
  }
  if (end === 0) {
    throw new RangeError(
      `Cannot parse access log format: "${format}" is no name of a format, ` +
        `and has none of ${KNOWN}`,
    );
  }
  parts.push(format.slice(end));
  return parts.filter((part) => part !== "");
}

function partOf([text, bare, argument, name = bare]: RegExpExecArray): Part {
  if (text === "%%") return "%";
  const known = name !== undefined && Object.hasOwn(ATOMS, name);
  const part = known ? ATOMS[name](argument) : undefined;
  if (part !== undefined && (!text.startsWith("%>") || name === "s")) {
    return part;
  }
  throw new RangeError(
    `Cannot parse access log format: unknown atom "${text}", not one of ${KNOWN}`,
  );
}

// Atoms.

function plain(part: Part): Atom {
  return (argument) => argument === undefined ? part : undefined;
}

function header(argument: string | undefined): Part | undefined {
  if (!argument) return undefined;
  const name = argument.toLowerCase();
  return (record) => escapeField(headerOf(record, name) ?? "") || "-";
}

function remotePort(argument: string | undefined): Part | undefined {
  if (argument !== "remote") return undefined;
  return ({ client }) => client === null ? "-" : String(client[1]);
}

/** Microseconds in the units of `%T`. */
const UNITS: Record<string, number> = { s: 1_000_000, ms: 1000, us: 1 };

function durationIn(unit: string = "s"): Part | undefined {
  if (!Object.hasOwn(UNITS, unit)) return undefined;
  return (record) => String(Math.floor(microseconds(record) / UNITS[unit]));
}

function microseconds({ duration }: AccessRecord): number {
  return Math.round(duration * 1000);
}

function requestLine(record: AccessRecord): string {
  const { method, target } = record;
  if (method === "") return "-";
  return `${escapeField(`${method} ${target}`)} ${protocol(record)}`;
}

function protocol({ httpVersion }: AccessRecord): string {
  return `HTTP/${escapeField(httpVersion)}`;
}

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark);
}

/** The values of a field, joined as one. */
function headerOf({ headers }: AccessRecord, name: string): string | undefined {
  let found: string | undefined;
  for (const [other, value] of headers) {
    if (other !== name) continue;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

// Times: made anew once a second.

let clfSecond = NaN;
let clfText = "";

function clfTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== clfSecond) {
    clfSecond = second;
    // From "Tue, 10 Oct 2000 13:55:36 GMT".
    const [, day, month, year, clock] = new Date(time).toUTCString().split(" ");
    clfText = `[${day}/${month}/${year}:${clock} +0000]`;
  }
  return clfText;
}

let isoSecond = NaN;
let isoText = "";

function isoTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoText = new Date(time).toISOString().slice(0, -"000Z".length);
  }
  const ms = Math.floor(time) - second * 1000;
  return `${isoText}${String(ms).padStart(3, "0")}Z`;
}

/** What a line of JSON holds; written out, because a copy costs more. */
function jsonOf(record: AccessRecord): Record<string, unknown> {
  const { client } = record;
  return {
    time: isoTime(record.time),
    type: record.type,
    client: client === null ? null : client[0],
    clientPort: client === null ? null : client[1],
    scheme: record.scheme,
    httpVersion: record.httpVersion,
    method: record.method,
    target: record.target,
    status: record.status,
    bytesSent: record.bytesSent,
    duration: microseconds(record) / 1000,
    aborted: record.aborted,
    referer: headerOf(record, "referer") ?? null,
    userAgent: headerOf(record, "user-agent") ?? null,
  };
}

/**
 * The forms of values on a command line. Each says what it expects; times need
 * a unit, because other servers take bare numbers as seconds, and `serve` takes
 * milliseconds.
 *
 * @module
 */

import { isFieldValue } from "../http/fields.ts";
import { isAddressList } from "../net/addresses.ts";
import { isRootPath } from "../middleware/root_path.ts";
import {
  MAX_STREAM_WINDOW,
  MAX_STREAMS,
  MIN_STREAM_WINDOW,
} from "../server/options.ts";

/** How a value is written and read. */
export interface ValueForm {
  /** What stands for it in the help; "" for a flag without a value. */
  readonly placeholder: string;
  /** What an error message says that it must be. */
  readonly expected: string;
  /** The value, or `undefined` if the text is not of this form. */
  readonly parse: (text: string) => unknown;
  /** The value as it would be written; needed where there are defaults. */
  readonly format: (value: unknown) => string;
}

const UNITS_OF_TIME: readonly [unit: string, ms: number][] = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];
const UNITS_OF_SIZE: readonly [unit: string, bytes: number][] = [
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["", 1],
];

/** A duration in milliseconds. */
export const DURATION: ValueForm = {
  placeholder: "TIME",
  expected: "a time with its unit, such as 500ms, 30s, 5m or 1h, or none",
  parse: (text) => text === "none" ? Infinity : parseDuration(text),
  format: (value) => formatWith(UNITS_OF_TIME, Number(value)),
};

/** A number of bytes. */
export const SIZE: ValueForm = {
  placeholder: "SIZE",
  expected: "a size, such as 65536 (bytes), 64KiB, 16MiB or 1GiB, or none",
  parse: (text) => text === "none" ? Infinity : parseSize(text),
  format: (value) => formatWith(UNITS_OF_SIZE, Number(value)),
};

/** A whole number above 0, or none. */
export const COUNT: ValueForm = {
  placeholder: "COUNT",
  expected: "a whole number above 0, or none",
  parse: (text) => text === "none" ? Infinity : parseWhole(text, 1),
  format: (value) => formatWith([["", 1]], Number(value)),
};

/** A whole number. */
export const WHOLE: ValueForm = {
  ...COUNT,
  expected: "a whole number",
  parse: (text) => parseWhole(text, 0),
};

/** A number of workers. */
export const WORKERS: ValueForm = {
  ...COUNT,
  placeholder: "COUNT|auto",
  expected: "a whole number above 0, or auto",
  parse: (text) => text === "auto" ? "auto" : parseWhole(text, 1),
  format: String,
};

/** A TCP port. */
export const PORT: ValueForm = {
  placeholder: "PORT",
  expected: "a port from 0 to 65535",
  parse: (text) => parseWhole(text, 0, 65_535),
  format: String,
};

/** How many connections wait to be accepted. */
export const BACKLOG: ValueForm = {
  ...COUNT,
  expected: "a whole number from 1 to 65535",
  parse: (text) => parseWhole(text, 1, 65_535),
};

/** How many streams a connection of HTTP/2 may have. */
export const STREAMS: ValueForm = {
  ...COUNT,
  expected: `a whole number from 1 to ${MAX_STREAMS}`,
  parse: (text) => parseWhole(text, 1, MAX_STREAMS),
};

/** A flow-control window of HTTP/2. */
export const WINDOW: ValueForm = {
  ...SIZE,
  expected:
    `a size from ${MIN_STREAM_WINDOW} (bytes) to ${MAX_STREAM_WINDOW}, such as 1MiB`,
  parse: (text) => {
    const bytes = parseSize(text) ?? 0;
    return bytes >= MIN_STREAM_WINDOW && bytes <= MAX_STREAM_WINDOW
      ? bytes
      : undefined;
  },
};

/** The permissions of a file. */
export const MODE: ValueForm = {
  placeholder: "MODE",
  expected: "permissions in octal, such as 660",
  parse: (text) => /^0?[0-7]{3}$/.test(text) ? parseInt(text, 8) : undefined,
  format: (value) => Number(value).toString(8),
};

/** A switch. */
export const BOOLEAN: ValueForm = {
  placeholder: "",
  expected: "true or false",
  parse: (text) => {
    if (text === "true" || text === "1") return true;
    return text === "false" || text === "0" ? false : undefined;
  },
  format: String,
};

/** A text that may be none. */
export const NULLABLE_TEXT: ValueForm = {
  placeholder: "TEXT",
  expected: "the value of a header field, or none",
  parse: (text) =>
    text === "none" ? null : isFieldValue(text) ? text : undefined,
  format: (value) => value === null ? "none" : String(value),
};

/** A text that is not empty. */
export function textForm(placeholder: string, expected: string): ValueForm {
  return {
    placeholder,
    expected,
    parse: (text) => text === "" ? undefined : text,
    format: String,
  };
}

/** Addresses and ranges, separated by commas. */
export const PROXIES: ValueForm = {
  placeholder: "ADDRESSES",
  expected:
    "addresses, ranges such as 10.0.0.0/8 and unix, separated by commas, or none",
  parse: (text) => {
    const proxies = text === "none" ? [] : text.split(",");
    return isAddressList(proxies) ? proxies : undefined;
  },
  format: (value) => isAddressList(value) && value.join(",") || "none",
};

/** The prefix of a path. */
export const ROOT_PATH: ValueForm = {
  placeholder: "PREFIX",
  expected: "a path such as /api, or none",
  parse: (text) => {
    const prefix = text === "none" ? "" : text || undefined;
    return isRootPath(prefix) ? prefix : undefined;
  },
  format: (value) => String(value) || "none",
};

/** One of a few words. */
export function choiceForm(...choices: readonly string[]): ValueForm {
  return {
    placeholder: choices.join("|"),
    expected: inWords(choices),
    parse: (text) => choices.includes(text) ? text : undefined,
    format: String,
  };
}

function inWords(choices: readonly string[]): string {
  const last = choices.at(-1)!;
  if (choices.length === 1) return last;
  return `${choices.slice(0, -1).join(", ")} or ${last}`;
}

function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS_OF_TIME.find(([name]) => name === unit)?.[1] ?? NaN;
  const ms = Number(amount) * factor;
  return ms > 0 ? ms : undefined;
}

function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)((?:KiB|MiB|GiB)?)$/.exec(text) ?? [];
  const factor = UNITS_OF_SIZE.find(([name]) => name === unit)?.[1] ?? NaN;
  const bytes = Number(amount) * factor;
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

function parseWhole(
  text: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

/** A number in its largest unit that leaves no fraction. */
function formatWith(
  units: readonly (readonly [unit: string, factor: number])[],
  value: number,
): string {
  if (value === Infinity) return "none";
  const [unit, factor] = units.find(([, size]) => value % size === 0) ??
    units.at(-1)!;
  return `${value / factor}${unit}`;
}

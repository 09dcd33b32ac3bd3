/**
 * What `--help` prints: every flag under its heading, with its default, in
 * lines of at most 80 columns.
 *
 * @module
 */

import { type Flag, FLAG_GROUPS } from "./flags.ts";
import { BOOLEAN } from "./values.ts";
import { VERSION } from "./version.ts";

const WIDTH = 80;
const TEXT_COLUMN = 30;

const BOLD = "\x1b[1m";
const PLAIN = "\x1b[0m";

const INTRODUCTION = `\
Usage: deno run -A jsr:@x/asgi/cli [FLAGS] MODULE[:NAME]

  main.ts                     Serves the default export of main.ts
  main.ts:app                 Serves its export "app"
  main.ts:create --factory    Serves what its export "create" returns
`;

const CONCLUSION = `\
TIME has a unit: 500ms, 30s, 5m, 1h. SIZE is in bytes, or 64KiB, 16MiB, 1GiB.
TIME, SIZE and COUNT may be "none", which is no limit.

Every flag has an environment variable: --max-headers is ASGI_MAX_HEADERS, and
true or false turns a switch on or off. A flag wins over its variable. Where a
flag may be repeated, the variable takes a list with commas.
`;

/** The help; headings are bold if `color` is true. */
export function helpText({ color }: { color: boolean }): string {
  const heading = (title: string) => color ? BOLD + title + PLAIN : title;
  const groups = FLAG_GROUPS.map(({ title, flags }) =>
    [heading(title), ...flags.flatMap(linesOf), ""].join("\n")
  );
  const other = [
    heading("Other"),
    ...entry("-h, --help", "Prints this"),
    ...entry("-V, --version", "Prints the versions of x-asgi and Deno"),
    "",
  ].join("\n");
  const title = `x-asgi ${VERSION}, an ASGI server for Deno\n`;
  return [title, INTRODUCTION, ...groups, other, CONCLUSION].join("\n");
}

function linesOf(flag: Flag): string[] {
  const preset = flag.default === undefined ? "" : ` [${flag.default}]`;
  return entry(usageOf(flag), flag.text + preset);
}

/** A flag as it is written, with what stands for its value. */
export function usageOf({ name, form }: Flag): string {
  if (form === BOOLEAN) return `--[no-]${name}`;
  return `--${name} ${form.placeholder}`;
}

/** A name on the left, and a text that goes on below itself. */
function entry(name: string, text: string): string[] {
  const left = `  ${name}`.padEnd(TEXT_COLUMN);
  const lines = wrap(text, WIDTH - TEXT_COLUMN)
    .map((line) => " ".repeat(TEXT_COLUMN) + line);
  if (left.length > TEXT_COLUMN || !left.endsWith("  ")) {
    return [left.trimEnd(), ...lines];
  }
  return [left + lines[0].trimStart(), ...lines.slice(1)];
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/**
 * From arguments and environment variables to settings. Flags win over
 * variables; whatever is wrong is refused, with its name and what is expected.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { UsageError } from "./errors.ts";
import { ALIASES, environmentVariable, type Flag, FLAGS } from "./flags.ts";
import { FlagValues } from "./flag_values.ts";
import type { Settings } from "./settings.ts";
import { createSettings } from "./settings_builder.ts";
import { suggest } from "./suggestion.ts";
import { BOOLEAN, DURATION } from "./values.ts";

/** What the command was asked to do. */
export type CommandLine =
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "serve"; readonly settings: Settings };

const BOOLEANS = names(({ form }) => form === BOOLEAN);
const PARSE_OPTIONS = {
  boolean: [...BOOLEANS, "help", "version"],
  negatable: BOOLEANS,
  // So that a switch that was not given differs from one that is off.
  default: Object.fromEntries(BOOLEANS.map((name) => [name, null])),
  string: ["_", ...names(({ form }) => form !== BOOLEAN)],
  collect: names(({ repeatable }) => repeatable === true),
  alias: ALIASES,
};

/**
 * Reads arguments, and environment variables for the flags that are absent.
 *
 * @throws {UsageError} If any of it is wrong.
 */
export function parseCommandLine(
  args: readonly string[],
  env: (name: string) => string | undefined,
): CommandLine {
  let unknown: string | undefined;
  const parsed: Record<string, unknown> = parseArgs([...args], {
    ...PARSE_OPTIONS,
    unknown: (arg, key) => {
      if (key !== undefined) unknown ??= arg;
    },
  });
  if (parsed.help === true) return { type: "help" };
  if (parsed.version === true) return { type: "version" };
  if (unknown !== undefined) throw unknownFlag(unknown);
  checkBooleans(args);
  const app = appArgument(parsed._ as string[]);
  const values = readValues(parsed, env);
  return { type: "serve", settings: createSettings(app, values) };
}

function names(belongs: (flag: Flag) => boolean): string[] {
  return [...FLAGS.values()].filter(belongs).map(({ name }) => name);
}

function unknownFlag(arg: string): UsageError {
  const written = arg.replace(/=.*$/s, "");
  const name = written.replace(/^-+/, "");
  const flag = FLAGS.get(name);
  if (flag !== undefined && written === `--${name}`) {
    return missingValue(written, flag);
  }
  const known = [
    ...FLAGS.keys(),
    ...BOOLEANS.map((name) => `no-${name}`),
    ...Object.entries(ALIASES).flat().filter(({ length }) => length > 1),
  ];
  const meant = suggest(name, known) ??
    suggest(name.replace(/^no-/, ""), known);
  const hint = meant === undefined ? "" : `; did you mean "--${meant}"?`;
  return new UsageError(`Unknown flag "${written}"${hint}`);
}

/** `parseArgs` takes any value of a switch but "false" for true. */
function checkBooleans(args: readonly string[]): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [, name, value] = /^--(?:no-)?(.+?)=(.*)$/s.exec(arg) ?? [];
    if (BOOLEANS.includes(name) && !["true", "false"].includes(value)) {
      throw wrongValue(`--${name}`, BOOLEAN.expected, value);
    }
  }
}

function appArgument(positional: readonly string[]): string {
  const [app, ...more] = positional;
  if (more.length > 0) {
    throw new UsageError(
      `Only one application can be served, but "${more[0]}" follows "${app}"`,
    );
  }
  if (!app) throw new UsageError("No application given, such as main.ts");
  if (app.startsWith(":") || app.endsWith(":")) {
    throw new UsageError(
      `The application must be MODULE or MODULE:NAME, not "${app}"`,
    );
  }
  return app;
}

/** The values of all flags that were given, one way or the other. */
function readValues(
  parsed: Record<string, unknown>,
  env: (name: string) => string | undefined,
): FlagValues {
  const values = new FlagValues();
  for (const flag of FLAGS.values()) {
    const given = [parsed[flag.name] ?? []].flat();
    const variable = environmentVariable(flag.name);
    if (given.length > 0) {
      values.set(flag.name, "flag", parseAll(flag, given, `--${flag.name}`));
      continue;
    }
    const text = env(variable);
    // Compose files and shells set variables to "" that they mean to omit.
    if (text === undefined || text === "") continue;
    const texts = flag.repeatable ? text.split(",") : [text];
    values.set(flag.name, "environment", parseAll(flag, texts, variable));
  }
  return values;
}

function parseAll(
  flag: Flag,
  texts: readonly unknown[],
  source: string,
): unknown {
  const values = texts.map((text) => parseOne(flag, text, source));
  return flag.repeatable ? values : values[0];
}

function parseOne(flag: Flag, text: unknown, source: string): unknown {
  const { form } = flag;
  if (typeof text !== "string") return text;
  if (text === "") throw missingValue(source, flag);
  const value = form.parse(text);
  if (value !== undefined) return value;
  if (form === DURATION && /^\d+$/.test(text)) {
    throw new UsageError(
      `${source} needs a unit: "${text}s" for seconds, "${text}ms" for milliseconds`,
    );
  }
  throw wrongValue(source, form.expected, text);
}

function missingValue(source: string, { form }: Flag): UsageError {
  return new UsageError(`${source} needs a value: ${form.expected}`);
}

function wrongValue(
  source: string,
  expected: string,
  text: string,
): UsageError {
  return new UsageError(`${source} must be ${expected}, not "${text}"`);
}

/**
 * From the values of flags to settings: flags that need each other must
 * be given together, and flags that exclude each other must not.
 *
 * @module
 */

import { accessFormatter } from "../logs/access_lines.ts";
import {
  OPTION_KINDS,
  type OptionKind,
  type ServeOptions,
} from "../server/options.ts";
import { splitAppReference } from "./app_reference.ts";
import { UsageError } from "./errors.ts";
import type { FlagValues } from "./flag_values.ts";
import { kebabCase } from "./flags.ts";
import { listeningOptions } from "./listening.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";

/**
 * Makes the settings for an application.
 *
 * @throws {UsageError} If values contradict each other.
 */
export function createSettings(app: string, values: FlagValues): Settings {
  checkWorkers(values);
  // First: it drops the values that flags for listening override.
  const listening = listeningOptions(values);
  const { serve: _, reloadPaths: __, ...defaults } = DEFAULT_SETTINGS;
  const given = Object.keys(defaults)
    .map((name) => [name, values.get(kebabCase(name))])
    .filter(([, value]) => value !== undefined);
  return {
    ...DEFAULT_SETTINGS,
    ...Object.fromEntries(given),
    accessLog: accessLog(values),
    reloadPaths: values.get<string[]>("reload-path") ?? [],
    app: {
      ...splitAppReference(app),
      factory: values.get<boolean>("factory") ?? false,
    },
    serve: { ...serverOptions(values), ...listening },
  };
}

function checkWorkers(values: FlagValues): void {
  if (values.get("reload") !== true) values.delete("reload");
  values.exclude(
    ["reload"],
    [
      "workers",
      "max-requests",
      "max-requests-jitter",
      "max-worker-memory",
      "worker-timeout",
    ],
  );
  values.need("max-requests-jitter", ["max-requests"]);
  values.need("reload-path", ["reload"]);
}

/** Options of these kinds are made of something else than a flag's value. */
const COMPOSED = new Set<OptionKind>([
  "function",
  "http3",
  "listen",
  "peers",
  "metrics",
]);

/** The options that have a flag of their own. */
function serverOptions(values: FlagValues): ServeOptions {
  const given = Object.entries(OPTION_KINDS)
    .filter(([, kind]) => !COMPOSED.has(kind))
    .map(([name]) => [name, values.get(kebabCase(name))])
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function accessLog(values: FlagValues): string {
  const format = values.get<string>("access-log");
  if (format === undefined) {
    return values.get("log-format") === "json" ? "json" : "common";
  }
  if (format !== "off") checkAccessLog(format, values.nameOf("access-log"));
  return format;
}

function checkAccessLog(format: string, source: string): void {
  try {
    accessFormatter(format);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${source}: ${error.message}`);
  }
}

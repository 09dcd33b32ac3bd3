// Settings as they come of arguments and environment variables.

import { assertEquals, assertThrows } from "@std/assert";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import { UsageError } from "../../src/cli/errors.ts";
import type { Settings } from "../../src/cli/settings.ts";

/** The settings for arguments and variables. */
export function settingsFor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Settings {
  const command = parseCommandLine(args, (name) => env[name]);
  if (command.type !== "serve") throw new Error(`It is "${command.type}"`);
  return command.settings;
}

/** The server's options for arguments and variables. */
export function optionsFor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Settings["serve"] {
  return settingsFor(["main.ts", ...args], env).serve;
}

/** Asserts that arguments and variables are refused, and with which words. */
export function assertRefused(
  args: readonly string[],
  message: string,
  env: Readonly<Record<string, string>> = {},
): void {
  const error = assertThrows(() => settingsFor(args, env), UsageError);
  assertEquals(error.message, message);
}

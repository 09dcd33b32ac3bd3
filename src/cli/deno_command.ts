/**
 * How to start this command once more, as a worker: with the same flags of
 * Deno, so that a worker may do what its supervisor may, and no more.
 *
 * @module
 */

import { MissingPermissionError } from "./errors.ts";
import { isGranted } from "./permissions.ts";

/** A command line of Deno, without the arguments of the program. */
export interface DenoCommand {
  /** The flags of `deno run`. */
  readonly flags: readonly string[];
  /** The main module. */
  readonly module: string;
}

/** Workers must not fight for the inspector's port, nor load all code anew. */
const NOT_FOR_WORKERS = /^(--watch|--inspect|--reload|-r)(\b|$)/;
const CONFIG_FLAGS =
  /^(--(config|import-map|node-modules-dir|vendor|env-file)=|--no-(config|npm|remote|lock)$|--cached-only$)/;
const CONFIG_FLAGS_WITH_VALUE = ["-c", "--config", "--import-map"];

/** The arguments of Deno that start a worker. */
export function workerArguments(
  { flags, module }: DenoCommand,
  args: readonly string[],
): string[] {
  const passedOn = flags.filter((flag) =>
    !NOT_FOR_WORKERS.test(flag) && flag !== "--unstable-net"
  );
  // Deno refuses to share a port without this flag.
  return ["run", ...passedOn, "--unstable-net", module, ...args];
}

/** Those flags that say how modules are resolved. */
export function configFlags(flags: readonly string[]): string[] {
  return flags.filter((flag, index) =>
    CONFIG_FLAGS.test(flag) || CONFIG_FLAGS_WITH_VALUE.includes(flag) ||
    CONFIG_FLAGS_WITH_VALUE.includes(flags[index - 1])
  );
}

/**
 * Finds the flags and the main module in the command line of a process.
 *
 * @param args What follows them: the arguments of the program.
 * @returns Nothing if it is no `deno run`.
 */
export function parseCommandLine(
  commandLine: readonly string[],
  args: readonly string[],
): DenoCommand | undefined {
  const head = commandLine.slice(1, commandLine.length - args.length);
  const tail = commandLine.slice(1 + head.length);
  if (tail.some((arg, index) => arg !== args[index])) return undefined;
  const module = head.pop();
  if (module === undefined || module === "-") return undefined;
  if (head[0] === "run") head.shift();
  const isRun = head.length === 0 || head[0].startsWith("-");
  return isRun ? { flags: head, module } : undefined;
}

/**
 * Finds out how this process was started.
 *
 * @throws {MissingPermissionError} If workers cannot be started, or if it
 * cannot be found out which permissions to give them.
 */
export function ownCommand(
  args: readonly string[],
  fallbackModule: string,
): DenoCommand {
  requirePermissions();
  const command = parseCommandLine(readCommandLine() ?? [], args);
  if (command !== undefined) return command;
  if (!hasAllPermissions()) {
    throw new MissingPermissionError(
      "Cannot start workers: which permissions they need cannot be found out on this system, run again with --allow-all",
    );
  }
  return { flags: ["--allow-all"], module: fallbackModule };
}

function requirePermissions(): void {
  const command = Deno.execPath();
  const missing = [
    isGranted({ name: "run", command }) ? "" : `--allow-run=${command}`,
    isGranted({ name: "env" }) ? "" : "--allow-env",
  ].filter((flag) => flag !== "");
  if (missing.length === 0) return;
  throw new MissingPermissionError(
    `Cannot start workers: run again with ${missing.join(" and ")}`,
  );
}

function hasAllPermissions(): boolean {
  const names = ["run", "env", "net", "read", "write", "sys", "ffi"] as const;
  return names.every((name) => isGranted({ name }));
}

/** The command line of this process, on systems that show it. */
function readCommandLine(): string[] | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const text = readOwnFile(`/proc/${Deno.pid}/cmdline`);
  return text?.split("\0").slice(0, -1);
}

/** Deno shows such a file only to those who may do everything. */
function readOwnFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  }
  const script = "console.log(Deno.readTextFileSync(Deno.args[0]))";
  const { success, stdout } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", script, path],
    stderr: "null",
  }).outputSync();
  return success ? new TextDecoder().decode(stdout).slice(0, -1) : undefined;
}

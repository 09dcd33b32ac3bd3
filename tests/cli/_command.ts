// The command as a user runs it: a process of its own, in a folder of its own
// with the application's files.

import { fileURLToPath } from "node:url";
import { netTest } from "../e2e/_testing.ts";
import { type Ended, type ProcessOptions, TestProcess } from "../_process.ts";

const ROOT = new URL("../..", import.meta.url);
const CONFIG = fileURLToPath(new URL("deno.json", ROOT));
const COMMAND = new URL("src/cli.ts", ROOT).href;

/** Where an application's modules find what they import. */
export const LIBRARY = new URL("mod.ts", ROOT).href;

/** Declares a test that starts processes of the command. */
export function commandTest(
  name: string,
  fn: () => Promise<void>,
  lacks?: string,
): void {
  netTest(`command: ${name}`, fn, {
    permissions: ["read", "write", "run", "env"],
    lacks: lacks ??
      (Deno.build.os === "windows"
        ? "processes cannot be interrupted by others here"
        : undefined),
  });
}

/** How the command is started. */
export interface CommandOptions extends ProcessOptions {
  /** Its working directory, with the application. */
  readonly cwd: string;
  /** Arguments of `deno run`. Default: `-A`. */
  readonly permissions?: readonly string[];
  /** What a shell does before it becomes the command. Default: nothing. */
  readonly shell?: string;
}

/** Makes a folder with these files, and removes it at the end. */
export async function folder(
  files: Readonly<Record<string, string>>,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Runs the command until it ends by itself. */
export async function run(
  args: readonly string[],
  options: CommandOptions,
): Promise<Ended> {
  await using command = new Command(args, options);
  return await command.end();
}

/** A running command. */
export class Command extends TestProcess {
  /** Starts it. */
  constructor(
    args: readonly string[],
    { permissions = ["-A"], shell, ...options }: CommandOptions,
  ) {
    const config = ["--no-prompt", "--config", CONFIG];
    super([
      ...shell === undefined ? [] : ["sh", "-c", `${shell}; exec "$0" "$@"`],
      ...[Deno.execPath(), "run", ...permissions, ...config, COMMAND, ...args],
    ], options);
  }

  /** Waits until it listens at an `http:` URL. */
  async url(): Promise<string> {
    return (await this.printed(/http:\S+\//))[0];
  }
}

/**
 * The files that an application consists of, as `deno info` lists them: its
 * modules on this machine, the broken and the missing ones too, and where they
 * are broken.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";

/** What there is to know of an application's modules. */
export interface ModuleGraph {
  /** The paths of its local files. */
  readonly files: readonly string[];
  /** What is wrong with them; each names the file, and the place if known. */
  readonly errors: readonly string[];
}

interface Info {
  readonly modules: readonly InfoModule[];
}

interface InfoModule {
  readonly specifier: string;
  readonly error?: string;
}

/**
 * Reads the module graph of `module`, a path or a URL.
 *
 * @param flags Flags of Deno that say how modules are resolved.
 * @throws {Error} If `deno info` fails.
 */
export async function readModuleGraph(
  module: string,
  flags: readonly string[] = [],
): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...flags, toUrl(module)],
    stdin: "null",
  }).output();
  if (!success) {
    const reason = plainText(stderr).trim();
    throw new Error(`Cannot read the modules of "${module}": ${reason}`);
  }
  return parseModuleGraph(plainText(stdout));
}

/** Deno may colour what it prints even where there is no terminal. */
function plainText(output: Uint8Array): string {
  return stripVTControlCharacters(new TextDecoder().decode(output));
}

/** Reads what `deno info --json` prints. */
export function parseModuleGraph(json: string): ModuleGraph {
  const { modules }: Info = JSON.parse(json);
  const local = modules.filter(({ specifier }) =>
    specifier.startsWith("file:")
  );
  return {
    files: local.map(({ specifier }) => fileURLToPath(specifier)),
    errors: local.flatMap(({ error }) =>
      error === undefined ? [] : describeError(error)
    ),
  };
}

/** The place comes last, in a line of its own; it is what is looked for. */
function describeError(error: string): string {
  const lines = error.split("\n");
  const [, url, position] =
    /^\s*at (file:\S+?)(:\d+:\d+)$/.exec(lines.at(-1) ?? "") ?? [];
  if (url === undefined) return error;
  return `${fileURLToPath(url)}${position}: ${lines.slice(0, -1).join("\n")}`;
}

/** A path would be taken for a package if it has a colon. */
function toUrl(module: string): string {
  return /^[a-z]{2,}:/i.test(module) ? module : pathToFileURL(module).href;
}

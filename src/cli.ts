/**
 * The command: serves the application that a module exports.
 *
 * ```sh
 * deno run -A jsr:@x/asgi/cli main.ts
 * deno run -A jsr:@x/asgi/cli --help
 * ```
 *
 * @module
 */

import { type CommandLine, parseCommandLine } from "./cli/command_line.ts";
import { EXIT_CODES, UsageError } from "./cli/errors.ts";
import { helpText } from "./cli/help.ts";
import { colorful, openLogs, print } from "./cli/logs.ts";
import { requirePermissions } from "./cli/permissions.ts";
import { superviseReload } from "./cli/reloader.ts";
import { appName, failureRecord, runServer } from "./cli/run.ts";
import type { Settings } from "./cli/settings.ts";
import { supervise } from "./cli/supervisor.ts";
import { VERSION } from "./cli/version.ts";
import { runWorker, workerChannel } from "./cli/worker.ts";

/**
 * Does what the arguments say, until it is done or shut down by a signal.
 *
 * Exit codes: 0 when all went well, 2 when an argument or environment variable
 * is wrong, 3 when the application could not be loaded or started, and 1 when
 * anything else failed. The reason is on stderr.
 *
 * @returns The exit code.
 *
 * @example
 * ```ts
 * import { main } from "jsr:@x/asgi/cli";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * assertEquals(await main(["--version"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  let command: CommandLine;
  try {
    command = parseCommandLine(args, readVariable);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await print(Deno.stderr, `error: ${error.message}\nTry "--help"\n`);
    return EXIT_CODES.usage;
  }
  switch (command.type) {
    case "help":
      await print(Deno.stdout, helpText({ color: colorful(Deno.stdout) }));
      return EXIT_CODES.ok;
    case "version":
      await print(
        Deno.stdout,
        `x-asgi ${VERSION} (Deno ${Deno.version.deno})\n`,
      );
      return EXIT_CODES.ok;
    case "serve":
      return await run(command.settings, args);
  }
}

/** Serves, in this process or in others that it watches over. */
async function run(
  settings: Settings,
  args: readonly string[],
): Promise<number> {
  const channel = workerChannel();
  if (channel !== undefined) return await runWorker(settings, channel);
  const { reload, workers, maxRequests, maxWorkerMemory } = settings;
  const isSupervised = workers !== 1 ||
    maxRequests !== Infinity || maxWorkerMemory !== Infinity;
  if (!reload && !isSupervised) return await runServer(settings);
  const logs = openLogs(settings);
  try {
    requirePermissions(settings, "workers");
    logs.log({ level: "info", message: supervisionMessage(settings) });
    const supervisor = reload ? superviseReload : supervise;
    return await supervisor(settings, args);
  } catch (error) {
    logs.log(failureRecord(error, settings));
    return error instanceof UsageError ? EXIT_CODES.usage : EXIT_CODES.failed;
  } finally {
    await logs.close();
  }
}

function supervisionMessage({ app, reload, workers }: Settings): string {
  const start = `x-asgi ${VERSION} starts ${appName(app)}`;
  if (reload) return `${start}, and again when its files change`;
  const count = workers === "auto" ? navigator.hardwareConcurrency : workers;
  return `${start} in ${count} ${count === 1 ? "worker" : "workers"}`;
}

/** An environment variable, if it may be read: asking would stop the start. */
function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

// What the application has not ended must not keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));

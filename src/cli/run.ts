/**
 * Serves an application in this process, from its load to the exit code.
 *
 * @module
 */

import { LifespanError } from "../asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../asgi/types.ts";
import type { ServerAddress } from "../net/listener_address.ts";
import type { LogRecord } from "../logs/records.ts";
import { Metrics } from "../metrics/metrics.ts";
import { describeAddress } from "../net/listener_address.ts";
import type { ServeOptions } from "../server/options.ts";
import { serve } from "../server/serve.ts";
import type { Server } from "../server/server.ts";
import { isInstance, readString, textOf } from "../asgi/user_code.ts";
import { loadApp } from "./app_loader.ts";
import { AppLoadError, EXIT_CODES } from "./errors.ts";
import { type Logs, openLogs } from "./logs.ts";
import { serveMetrics } from "./metrics_listener.ts";
import {
  requirePermissions,
  requirePortSharing,
  requireQuic,
} from "./permissions.ts";
import type { AppReference, Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

/** What the caller may change about a server. */
export interface RunHooks {
  /** Puts something around the application. */
  readonly wrapApp?: (app: AsgiApp) => AsgiApp;
  /** Called when the application has started, and the server accepts. */
  readonly onReady?: (server: Server) => void;
  /** Whether signals stop the server; else it is a worker. Default: true. */
  readonly signals?: boolean;
  /** Options that win over those of the settings. */
  readonly serve?: Partial<ServeOptions>;
}

/**
 * Loads the application and serves it until it is shut down. What goes wrong
 * is logged, not thrown.
 *
 * @returns The exit code.
 */
export async function runServer(
  settings: Settings,
  hooks: RunHooks = {},
): Promise<number> {
  const { signals = true } = hooks;
  // A process that leaves signals to its supervisor is one of several.
  const process = signals ? undefined : `worker ${Deno.pid}`;
  const logs = openLogs(settings, process);
  let ready = false;
  try {
    requirePermissions(settings);
    if (settings.serve.reusePort) requirePortSharing();
    requireQuic(settings.serve);
    // The supervisor of a worker shows its metrics.
    const address = signals ? settings.metrics : null;
    const metrics = address === null ? undefined : new Metrics();
    await using _listener = metrics &&
      serveMetrics(address!, metrics, logs.log);
    const app = await loadApp(settings.app);
    const server = startServer(app, settings, {
      ...hooks,
      signals,
      logs,
      serve: { metrics, ...hooks.serve },
      onReady(server) {
        ready = true;
        hooks.onReady?.(server);
      },
    });
    await server.finished;
    return EXIT_CODES.ok;
  } catch (error) {
    logs.log(failureRecord(error, settings));
    return exitCodeOf(error, ready);
  } finally {
    await logs.close();
  }
}

/** Serves an application that was loaded, as settings and hooks say. */
function startServer(
  app: AsgiApp,
  settings: Settings,
  { signals, logs, wrapApp, onReady, serve: options }: RunHooks & {
    readonly logs: Logs;
  },
): Server {
  options?.metrics?.countLostLines(() => logs.lost);
  const server = serve(wrapApp?.(app) ?? app, {
    ...settings.serve,
    signals,
    log: logs.log,
    accessLog: logs.accessLog,
    ...options,
    onListen: (_first, all) => {
      const message = startMessage(settings.app, all);
      logs.log({ level: "info", message });
      onReady?.(server);
    },
  });
  return server;
}

function startMessage(
  app: AppReference,
  addresses: readonly ServerAddress[],
): string {
  const urls = addresses.map((address) => describeAddress(address));
  return `x-asgi ${VERSION} serves ${appName(app)} at ${urls.join(", ")}`;
}

/** An application as it was named on the command line. */
export function appName({ module, name, factory }: AppReference): string {
  const reference = name === "default" ? module : `${module}:${name}`;
  return factory ? `what ${reference} returns` : reference;
}

/** What has failed, in one line; for those who debug, also where. */
export function failureRecord(
  error: unknown,
  { logLevel }: Pick<Settings, "logLevel">,
): LogRecord {
  const text = isInstance(error, Error)
    ? readString(error, "message") ?? ""
    : textOf(error);
  const message = text.replaceAll(/\s*\n\s*/g, "; ");
  return logLevel === "debug"
    ? { level: "error", message, error }
    : { level: "error", message };
}

function exitCodeOf(error: unknown, ready: boolean): number {
  const appFailed = isInstance(error, AppLoadError) ||
    isInstance(error, LifespanError) && !ready;
  return appFailed ? EXIT_CODES.app : EXIT_CODES.failed;
}

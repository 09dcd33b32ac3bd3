/**
 * What the command was asked to do, once flags and environment variables have
 * become values. Settings are plain data: they can be sent to a worker.
 *
 * @module
 */

import type { LogFormat } from "../logs/log_lines.ts";
import type { LogLevel } from "../logs/records.ts";
import type { ServeOptions } from "../server/options.ts";
import type { Endpoint } from "./listen_address.ts";

/** Where the application is. */
export interface AppReference {
  /** The module: a path, or a URL. */
  readonly module: string;
  /** The name of the export; "default" for the default export. */
  readonly name: string;
  /** Whether the export makes the application, and is not it. */
  readonly factory: boolean;
}

/** All settings of the command. */
export interface Settings {
  /** The application. */
  readonly app: AppReference;
  /** The options of the server that were given; none of them a function. */
  readonly serve: ServeOptions;
  /** Log records below this are left out. Default: "info". */
  readonly logLevel: LogLevel;
  /** How log records are written. Default: "plain". */
  readonly logFormat: LogFormat;
  /**
   * "common", "combined", "json", "off", or a format. Default: "common"; "json"
   * where log records are JSON too.
   */
  readonly accessLog: string;
  /** The number of processes that serve; "auto": one a core. Default: 1. */
  readonly workers: number | "auto";
  /** Requests after which a worker is replaced. Default: `Infinity`. */
  readonly maxRequests: number;
  /** Up to so many are added to that at random, for each worker. Default: 0. */
  readonly maxRequestsJitter: number;
  /** Memory in bytes past which a worker is replaced. Default: `Infinity`. */
  readonly maxWorkerMemory: number;
  /**
   * Milliseconds without an answer past which a worker is replaced. Default:
   * 30 s.
   */
  readonly workerTimeout: number;
  /** Where metrics are served; `null` for nowhere. Default: `null`. */
  readonly metrics: Endpoint | null;
  /** Whether the server restarts when a file of the application changes. */
  readonly reload: boolean;
  /** Further files and folders whose changes restart it. Default: none. */
  readonly reloadPaths: readonly string[];
}

/** What holds where nothing else was asked for. */
export const DEFAULT_SETTINGS: Omit<Settings, "app"> = {
  serve: {},
  logLevel: "info",
  logFormat: "plain",
  accessLog: "common",
  workers: 1,
  maxRequests: Infinity,
  maxRequestsJitter: 0,
  maxWorkerMemory: Infinity,
  workerTimeout: 30_000,
  metrics: null,
  reload: false,
  reloadPaths: [],
};

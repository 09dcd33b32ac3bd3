/**
 * What the command line of the comparison says.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** How to measure, and what. */
export interface Settings {
  /** Names of cases, or how they begin and "*"; all if there are none. */
  readonly cases: readonly string[];
  /** Names of servers; all if there are none. */
  readonly servers: readonly string[];
  /** Another checkout of this package, to be compared with this one. */
  readonly before: string | undefined;
  /** How often each server is measured in each case. */
  readonly runs: number;
  /** How long each run lasts, in seconds. */
  readonly seconds: number;
  /** How long each server is loaded before its first run, in seconds. */
  readonly warmUp: number;
  /** How many idle connections are opened. */
  readonly connections: number;
  /** The core that servers run on. */
  readonly serverCore: number;
  /** The core that the load comes from. */
  readonly loadCore: number;
  /** A virtual environment of Python to use, or to make. */
  readonly venv: string | undefined;
  /** Whether packages that are missing may be fetched. */
  readonly install: boolean;
  /** Where the results go. */
  readonly json: string | undefined;
  /** Where the chart goes. */
  readonly svg: string | undefined;
  /** Whether only to list cases and servers. */
  readonly list: boolean;
}

/** What `--help` prints. */
export const HELP = `Compares this server with others on this machine.

Usage: deno task bench:compare [FLAGS]

  --list               Lists cases and servers
  --case NAME          Only this case; may be repeated; "h2-*" is all of them
                       whose names begin with "h2-"
  --server NAME        Only this server; may be repeated
  --before FOLDER      Also another checkout of this package, as x-asgi-before
  --runs COUNT         Runs of each server in each case [5]
  --seconds COUNT      Length of a run, in whole seconds [2]
  --warm-up COUNT      Load before the first run, in whole seconds [1]
  --connections COUNT  Idle connections to open [10000]
  --quick              One run of one second, and 1000 connections
  --server-core INDEX  The core of the servers [0]
  --load-core INDEX    The core of the load [1]
  --venv PATH          Virtual environment for servers in Python
  --no-install         Fetches nothing: what is not there is left out
  --json FILE          Writes the results
  --svg FILE           Writes a chart
`;

const FLAGS = {
  "help": { type: "boolean", default: false },
  "list": { type: "boolean", default: false },
  "case": { type: "string", multiple: true, default: [] as string[] },
  "server": { type: "string", multiple: true, default: [] as string[] },
  "before": { type: "string" },
  "runs": { type: "string" },
  "seconds": { type: "string" },
  "warm-up": { type: "string", default: "1" },
  "connections": { type: "string" },
  "quick": { type: "boolean", default: false },
  "server-core": { type: "string", default: "0" },
  "load-core": { type: "string", default: "1" },
  "venv": { type: "string" },
  "no-install": { type: "boolean", default: false },
  "json": { type: "string" },
  "svg": { type: "string" },
} as const;

/**
 * Parses arguments; `undefined` if they ask for help.
 *
 * @throws {TypeError} If an argument is unknown.
 * @throws {RangeError} If a number is out of range.
 */
export function parseSettings(args: readonly string[]): Settings | undefined {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    cases: values.case,
    servers: values.server,
    before: values.before,
    runs: count("runs", values.runs ?? (quick ? "1" : "5")),
    seconds: count("seconds", values.seconds ?? (quick ? "1" : "2")),
    warmUp: count("warm-up", values["warm-up"]),
    connections: count(
      "connections",
      values.connections ?? (quick ? "1000" : "10000"),
    ),
    serverCore: count("server-core", values["server-core"], 0),
    loadCore: count("load-core", values["load-core"], 0),
    venv: values.venv,
    install: !values["no-install"],
    json: values.json,
    svg: values.svg,
    list: values.list,
  };
}

function count(flag: string, text: string, min = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(
    `Cannot use --${flag}: it must be a whole number from ${min}, not "${text}"`,
  );
}
